"""A step: micro-batches, losses without items, numbers that are not finite, precisions."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from renaissance.compiler import build
from renaissance.compiler.batch import Batch
from renaissance.compiler.normalisation import Normalisation
from renaissance.compiler.step import Objectives, weights_of
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import JobError
from renaissance.runtime.data import job_data
from renaissance.runtime.data.streams import image_needs
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes
from renaissance.runtime.training.measures import Accuracies
from renaissance.runtime.training.optimization import Optimization
from renaissance.runtime.training.schedule import LearningRate
from renaissance.runtime.training.step import TrainingStep, seed_of_step
from tests.batches import padded, pixels_of
from tests.runs import train

ALONE = Processes(rank=0, ranks=1, device=torch.device("cpu"))


def one_step(
    spec: Spec, name: str, change: Callable[[Batch], Batch] | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Losses of the first step, and the weights after it."""
    job: Any = spec.training_job(name)
    model = build(spec, job=name)
    batches: Any = next(iter(job_data(spec, name).train(0, 0, 1)))
    if change is not None:
        batches = tuple(change(batch) for batch in batches)
    objectives = Objectives(model, spec.model_of(name), job)
    step = TrainingStep(
        objectives=objectives,
        optimization=Optimization(model, job.optimizer, {}),
        precision=Precision(job.precision, ALONE.device),
        weights=weights_of(job),
        clip=job.clip,
        seed=job.seed,
        processes=ALONE,
        accuracies=Accuracies(objectives.metrics, ALONE),
    )
    model.train()
    stepped = step(batches, step=0, rate=1e-3)
    return stepped.losses, {name: p.detach() for name, p in model.named_parameters()}


def without_masks(batch: Batch) -> Batch:
    none = torch.zeros(0, dtype=torch.int64)
    masked = replace(batch.items["mlm"], positions=none, target=none, known=0)
    return replace(batch, items={**batch.items, "mlm": masked})


def normalised(spec: Spec, batch: Batch) -> Batch:
    needs = image_needs(spec.models["tiny"])
    assert isinstance(batch.images, Tensor)
    return replace(batch, images=Normalisation(needs.mean, needs.std)(batch.images))


@pytest.mark.parametrize("name", ["base", "vqa"])
def test_micro_batches_change_nothing(tiny_spec: Callable[..., Spec], name: str) -> None:
    whole = one_step(tiny_spec(dropout=0.0), name)
    parts = one_step(tiny_spec(dropout=0.0, **{name: {"micro_batch": 5}}), name)
    assert torch.allclose(whole[0], parts[0], atol=1e-5)
    for tensor, value in whole[1].items():
        # Adam's first step divides by the gradient's size: tiny differences show where it is 0.
        assert torch.allclose(value, parts[1][tensor], atol=2e-4), tensor


def test_both_objectives_are_those_of_two_separate_passes(tiny_spec: Callable[..., Spec]) -> None:
    spec = tiny_spec(dropout=0.0)
    model = build(spec, job="base").eval()
    [batch] = next(iter(job_data(spec, "base").train(0, 0, 1)))
    scored = Objectives(model, spec.models["tiny"], spec.training_job("base"))(batch)
    batch = normalised(spec, batch)
    masked, matching = batch.items["mlm"], batch.items["itm"]
    out = model(text=padded(batch, masked), vision=pixels_of(batch, masked))
    mask = padded(batch, masked)["attention_mask"]
    tokens = out.streams["text"][mask][masked.positions]
    assert torch.allclose(model.heads["mlm"](tokens), scored["mlm"].scores, atol=1e-5)
    out = model(text=padded(batch, matching), vision=pixels_of(batch, matching))
    assert torch.allclose(model.heads["itm"](out.pooled), scored["itm"].scores, atol=1e-5)
    loss = torch.nn.functional.cross_entropy(scored["itm"].scores, matching.target)
    assert scored["itm"].loss.item() / matching.known == pytest.approx(loss.item())


def test_a_batch_without_masked_tokens_has_no_mlm_loss(tiny_spec: Callable[..., Spec]) -> None:
    spec = tiny_spec(dropout=0.0)
    losses, weights = one_step(spec, "base", without_masks)
    assert losses[0] == 0 and losses[1] > 0
    assert all(value.isfinite().all() for value in weights.values())


def test_weights_of_losses_count(tiny_spec: Callable[..., Spec]) -> None:
    light = tiny_spec(dropout=0.0, base={"objectives": (Mlm(weight=1e-9), Itm())})
    _, only_itm = one_step(tiny_spec(dropout=0.0), "base", without_masks)
    _, weighted = one_step(light, "base")
    start = dict(build(light, job="base").named_parameters())
    name = "heads.itm.dense.weight"
    assert not torch.equal(weighted[name], start[name])
    assert only_itm.keys() == weighted.keys()
    _, equal = one_step(tiny_spec(dropout=0.0), "base")
    shared = "streams.text.embeddings.word.weight"
    shared = shared if shared in equal else next(n for n in equal if n.startswith("streams.text"))
    assert not torch.equal(equal[shared], weighted[shared])


def test_dropout_differs_by_step_and_rank() -> None:
    seeds = {seed_of_step(s, t, r) for s in range(3) for t in range(50) for r in range(4)}
    assert len(seeds) == 600 and all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_trains(
    tiny_spec: Callable[..., Spec], tmp_path: Path, precision: str
) -> None:
    spec = tiny_spec(base={"precision": precision, "steps": 3})
    run = train(spec, tmp_path, "base")
    assert run.results[0].steps == 3
    state = json.loads((tmp_path / "base/checkpoints/step-00000003/state.json").read_text())
    assert bool(state["scaler"]) == (precision == "fp16")


def test_a_loss_that_is_not_finite_stops_the_run(
    tiny_spec: Callable[..., Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rate(self: LearningRate, step: int) -> float:
        return 1e30 if step >= 12 else 1e-3

    monkeypatch.setattr(LearningRate, "at", rate)
    spec = tiny_spec(base={"steps": 450, "checkpoint_every": 5})
    with pytest.raises(JobError) as caught:
        train(spec, tmp_path, "base")
    message = str(caught.value)
    assert "the loss of step 13 of job `base` is not a finite number" in message
    assert "step-00000010`" in message and ".png" in message and "\n" not in message
    told = json.loads((tmp_path / "base/not_finite.json").read_text())
    assert told["step"] == 13 and len(told["batch"]) == 12
    assert all({"image", "text", "answer"} == entry.keys() for entry in told["batch"])
    steps = sorted(path.name for path in (tmp_path / "base/checkpoints").glob("step-*"))
    assert steps[-1] == "step-00000010"


def test_weights_that_are_not_finite_are_never_saved(
    tiny_spec: Callable[..., Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LearningRate, "at", lambda self, step: float("inf") if step == 5 else 1e-3)
    spec = tiny_spec(base={"steps": 6, "checkpoint_every": 2, "validate_every": 3})
    with pytest.raises(JobError, match=r"step 5 .*last good checkpoint.*step-00000004"):
        train(spec, tmp_path, "base")
    assert not (tmp_path / "base/checkpoints/step-00000006").exists()
