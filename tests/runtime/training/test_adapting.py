"""Jobs with low-rank adapters: what is under them stays, and where the adapters go."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from renaissance.compiler import build
from renaissance.compiler.adapters import is_of_adapter, merge
from renaissance.compiler.model.adapter import Adapter
from renaissance.grammar.schema.model import Adapt, Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime import InterruptionError
from renaissance.runtime.checkpoint import read_checkpoint
from renaissance.runtime.errors import FrozenChangedError
from renaissance.runtime.training.step import TrainingStep
from renaissance.runtime.training.transfer import start_from
from tests.runs import StopAt, events, last_bytes, run_in_two, train

Make = Callable[..., Spec]

LAST = {"checkpoint_every": 6, "validate_every": 6}
VISION = (Freeze(selectors=("vision",)),)
BOTH = (Adapt(selectors=("text", "vision.attention"), rank=2), Adapt(selectors=("cross",), rank=3))


def weights(folder: Path, job: str = "base", step: int = 6) -> dict[str, Tensor]:
    return load_file(folder / job / f"checkpoints/step-{step:08d}/model.safetensors")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_under_adapters_is_proved_to_stay(
    tiny_spec: Make, tmp_path: Path, precision: str
) -> None:
    keys = {"precision": precision, "checkpoint_every": 3}
    spec = tiny_spec(freeze=VISION, adapt=BOTH, base=keys)
    start = build(spec, job="base").state_dict()
    train(spec, tmp_path, "base")
    checkpoint = read_checkpoint(tmp_path / "base/checkpoints/step-00000006")
    under = {n for n in start if n.startswith(("streams.", "fusion.")) and not is_of_adapter(n)}
    assert all(torch.equal(checkpoint.model[name], start[name]) for name in under)
    assert checkpoint.state.frozen.keys() >= under
    adapters = {name for name in start if is_of_adapter(name) and name.endswith(".weight")}
    assert not {name for name in adapters if torch.equal(checkpoint.model[name], start[name])}
    averaged = {name.rpartition("/")[0] for name in checkpoint.optimizer}
    assert adapters <= averaged and not averaged & under


def test_a_run_that_changes_what_is_under_an_adapter_stops(
    tiny_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_step = TrainingStep.__call__

    def tampering(self: TrainingStep, *batches: object, **options: object) -> object:
        if options["step"] == 3:
            towers = self._objectives.model.streams["text"].named_parameters()
            with torch.no_grad():
                dict(towers)["stack.layers.0.attention.query.weight"].view(-1)[0] += 1e-6
        return whole_step(self, *batches, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(TrainingStep, "__call__", tampering)
    spec = tiny_spec(adapt=BOTH, base={"checkpoint_every": 2, "validate_every": 6})
    with pytest.raises(FrozenChangedError, match=r"query\.weight"):
        train(spec, tmp_path, "base")


def test_it_resumes_bit_for_bit_recomputed_too(tiny_spec: Make, tmp_path: Path) -> None:
    dropped = (Adapt(selectors=("text.attention",), rank=2, dropout=0.3), BOTH[1])
    for number, keys in enumerate(({}, {"recompute": "layers"})):
        spec = tiny_spec(freeze=VISION, adapt=dropped, base={**LAST, **keys})
        whole, parts = tmp_path / f"whole-{number}", tmp_path / f"parts-{number}"
        train(spec, whole, "base")
        with pytest.raises(InterruptionError):
            train(spec, parts, "base", observer=StopAt(4))
        train(spec, parts, "base")
        assert last_bytes(parts, "base", 6) == last_bytes(whole, "base", 6)
    assert last_bytes(tmp_path / "whole-0", "base", 6) == last_bytes(whole, "base", 6)


@pytest.mark.parametrize("shard", ["none", "full"])
def test_two_processes_are_as_one(tiny_spec: Make, tmp_path: Path, shard: str) -> None:
    base = {"batch": 11, "shard": shard, **LAST}
    spec = tiny_spec(dropout=0.0, freeze=VISION, adapt=BOTH, base=base)
    train(spec, tmp_path / "one", "base")
    run_in_two(spec, tmp_path / "two", "base")
    one, two = (events(tmp_path / name, "base", "step") for name in ("one", "two"))
    assert len(one) == len(two) > 0
    for ours, theirs in zip(one, two, strict=True):
        assert theirs["losses"] == pytest.approx(ours["losses"], rel=2e-4)
    ours, theirs = (weights(tmp_path / name) for name in ("one", "two"))
    assert ours.keys() == theirs.keys()
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-3) for name in ours)


def test_a_job_takes_over_the_same_adapters_and_merges_others(
    tiny_spec: Make, tmp_path: Path
) -> None:
    spec = tiny_spec(dropout=0.0, adapt=BOTH)
    train(spec, tmp_path, "base")
    source = read_checkpoint(tmp_path / "base/checkpoints/step-00000006")
    trained = build(spec, job="base")
    trained.load_state_dict(dict(source.model))

    same = build(spec, job="vqa")
    notes = start_from(same, source, {}).notes
    assert any("are taken over" in note for note in notes) and len(notes) == 1
    assert all(
        torch.equal(same.state_dict()[name], source.model[name])
        for name in source.model
        if is_of_adapter(name)
    )
    merge(trained)
    wanted = trained.state_dict()
    # Other scales are other adapters, as other ranks are.
    for adapt in ((), (BOTH[0].model_copy(update={"alpha": 3.0}), Adapt(selectors=("cross",)))):
        other = build(tiny_spec(dropout=0.0, adapt=adapt), job="vqa")
        notes = start_from(other, source, {}).notes
        assert "merged" in notes[0] and len(notes) == (2 if adapt else 1)
        found = other.state_dict()
        names = [name for name in wanted if not name.startswith("heads.")]
        assert all(torch.allclose(found[name], wanted[name], atol=1e-6) for name in names)
        fresh = [part for part in other.modules() if isinstance(part, Adapter)]
        assert bool(fresh) == bool(adapt) and not any(part.up.weight.any() for part in fresh)


def test_the_jobs_of_a_run_adapt_each_in_its_own_way(tiny_spec: Make, tmp_path: Path) -> None:
    spec = tiny_spec(freeze=VISION)
    adapted = spec.models["tiny"].model_copy(update={"adapt": BOTH})
    spec = spec.model_copy(update={"job_models": {"vqa": adapted, "exam": adapted}})
    for job in ("base", "vqa", "exam"):
        train(spec, tmp_path, job)
    before, after = weights(tmp_path), weights(tmp_path, "vqa")
    under = [name for name in before if name.startswith(("streams.", "fusion."))]
    assert all(torch.equal(before[name], after[name]) for name in under)
    assert (tmp_path / "exam/result.json").is_file()
