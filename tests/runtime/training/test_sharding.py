"""Weights split over two processes: the losses, weights and files of one process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError, JobError
from renaissance.runtime.checkpoint import read_checkpoint
from renaissance.runtime.evaluation.selecting import by_protocol
from renaissance.runtime.observer import Silent
from renaissance.runtime.processes import Processes
from renaissance.runtime.signals import StopRequest
from renaissance.runtime.training.session import Session
from renaissance.runtime.training.train import train_job
from tests.runs import StopAt, events, run_in_two, train

FREEZES = {
    "free": (),
    "vision": ("vision",),
    "slice": ("text.embeddings", "text.layers[:1]", "vision.layers[1]", "norm"),
    "heads": ("text", "vision", "cross", "pool"),
}


def same(one: Path, two: Path, job: str, step: int) -> None:
    """Losses of all steps, and weights and averages of a checkpoint, agree."""
    for event in ("step", "validate"):
        ours, theirs = events(one, job, event), events(two, job, event)
        assert len(ours) == len(theirs) > 0
        for mine, other in zip(ours, theirs, strict=True):
            assert mine["losses"] == pytest.approx(other["losses"], rel=2e-4)
    files = [read_checkpoint(f / job / f"checkpoints/step-{step:08d}") for f in (one, two)]
    for part, tolerance in (("model", 1e-3), ("optimizer", 1e-3)):
        tensors = [getattr(file, part) for file in files]
        assert tensors[0].keys() == tensors[1].keys()
        for name, tensor in tensors[0].items():
            assert torch.allclose(tensor, tensors[1][name], atol=tolerance), name
    assert files[0].state.frozen == files[1].state.frozen
    assert files[0].state.shared == files[1].state.shared


def test_two_processes_that_share_weights_are_as_one(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    # A job for each setting. With an odd batch and micro-batches one process does two passes where
    # the other does one, and their parts of a validation differ.
    spec = tiny_spec(dropout=0.0, base={"batch": 11, "shard": "full", "steps": 4})
    models, jobs = {}, {}
    for name, selectors in FREEZES.items():
        freeze = (Freeze(selectors=selectors),) if selectors else ()
        changes: dict[str, Any] = {"name": name, "on": name}
        if name == "slice":
            changes["micro_batch"] = 5
        if name == "vision":
            changes["precision"] = "bf16"
        models[name] = spec.models["tiny"].model_copy(update={"name": name, "freeze": freeze})
        jobs[name] = spec.jobs["base"].model_copy(update=changes)
    spec = spec.model_copy(update={"models": models, "jobs": jobs})
    train(spec, tmp_path / "one")
    run_in_two(spec, tmp_path / "two", *jobs)
    for name in set(FREEZES) - {"vision"}:
        same(tmp_path / "one", tmp_path / "two", name, 4)
    # In bf16 rounding differs with the rows of a pass.
    one, two = (events(tmp_path / name, "vision", "step") for name in ("one", "two"))
    for mine, other in zip(one, two, strict=True):
        assert mine["losses"] == pytest.approx(other["losses"], rel=1e-2)
    path = "vision/checkpoints/step-00000004/model.safetensors"
    weights = [load_file(tmp_path / name / path) for name in ("one", "two")]
    assert {tensor.dtype for tensor in weights[1].values()} == {torch.float32}
    vision = [name for name in weights[0] if name.startswith("streams.vision")]
    assert vision and all(torch.equal(weights[0][name], weights[1][name]) for name in vision)


def test_a_run_goes_on_with_another_number_of_processes(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    base: dict[str, Any] = {"steps": 8, "shard": "full", "validate_every": 2}
    spec = tiny_spec(dropout=0.0, freeze=(Freeze(selectors=("vision",)),), base=base)
    train(spec, tmp_path / "one", "base")
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "back", "base", observer=StopAt(5))
    # One process, then two, then one again from what two have left before the end.
    run_in_two(spec, tmp_path / "back", "base")
    same(tmp_path / "one", tmp_path / "back", "base", 8)
    (tmp_path / "back/base/result.json").unlink()
    for path in (tmp_path / "back/base/checkpoints").glob("step-00000008"):
        path.rename(path.with_name("aside"))
    train(spec, tmp_path / "back", "base")
    starts = [line["step"] for line in events(tmp_path / "back", "base", "start")]
    assert starts[:2] == [0, 5] and 5 < starts[2] < 8
    one, back = (
        read_checkpoint(tmp_path / name / "base/checkpoints/step-00000008")
        for name in ("one", "back")
    )
    for mine, other in ((one.model, back.model), (one.optimizer, back.optimizer)):
        assert mine.keys() == other.keys()
        assert all(torch.allclose(mine[name], other[name], atol=1e-3) for name in mine)


def test_what_learns_later_is_refused(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
    freeze = (Freeze(selectors=("vision",), until=Share(0.5)),)
    spec = tiny_spec(freeze=freeze, base={"shard": "full"})
    two = Processes(rank=0, ranks=2, device=torch.device("cpu"))
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(JobError, match=r"`shard = full` and a `freeze … until`"),
    ):
        patch.setattr(Processes, "of_first", lambda self, value: value)
        train_job(
            Session(
                spec=spec,
                name="base",
                folder=tmp_path,
                hashes=frozenset({spec.hash}),
                processes=two,
                request=StopRequest(),
                observer=Silent(),
            ),
            by_protocol,
        )
    train(spec, tmp_path, "base")  # one process has nothing to split
