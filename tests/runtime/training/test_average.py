"""An average of the weights: what it is, where it is used, and that it goes on bit for bit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from renaissance.compiler import build, plan
from renaissance.compiler.adapters import is_of_adapter
from renaissance.grammar.check import check
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.model import Adapt, Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source
from renaissance.runtime import InterruptionError
from renaissance.runtime.checkpoint import AVERAGE, Checkpoint, read_checkpoint
from renaissance.runtime.errors import CheckpointError
from renaissance.runtime.training.average import Average, share_kept
from tests.runs import StopAt, events, last_bytes, notices, run_in_two, train

THAW = (Freeze(selectors=("vision",)), Freeze(selectors=("text",), until=Share(0.5)))
ADAPT = (Adapt(selectors=("text", "cross.attention"), rank=2),)
EVERY: dict[str, Any] = {"checkpoint_every": 1, "validate_every": 2, "keep": 99}


def at(folder: Path, job: str, step: int) -> Checkpoint:
    return read_checkpoint(folder / job / f"checkpoints/step-{step:08d}")


def average_bytes(folder: Path, job: str, step: int) -> bytes:
    return (folder / job / f"checkpoints/step-{step:08d}" / AVERAGE).read_bytes()


def test_it_follows_the_weights_by_its_formula() -> None:
    weight = nn.Parameter(torch.randn(5, 7))
    average, expected = Average(0.5, {"w": weight}), weight.detach().double()
    for step in range(12):
        with torch.no_grad():
            weight.add_(torch.randn(5, 7))
        average.update(step)
        kept = min(0.5, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * weight.detach().double()
        torch.testing.assert_close(average.state()["w"].double(), expected, rtol=1e-5, atol=1e-6)
    last = weight.detach().clone()
    with pytest.raises(KeyError), average.in_place():
        assert torch.equal(weight, expected.float()) or torch.allclose(weight, expected.float())
        raise KeyError
    assert torch.equal(weight, last)


def test_the_first_steps_leave_less_of_it() -> None:
    assert share_kept(0.999, 0) == 0.1
    assert share_kept(0.999, 90) == 0.91
    assert share_kept(0.999, 10**6) == 0.999


def test_another_set_of_weights_is_refused() -> None:
    average = Average(0.9, {"w": nn.Parameter(torch.zeros(2))})
    for state in ({}, {"w": torch.zeros(3)}, {"w": torch.zeros(2), "v": torch.zeros(2)}):
        with pytest.raises(CheckpointError, match="not of what learns"):
            average.load(state)


def test_it_is_what_the_steps_leave_also_of_what_thaws(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    keys = {"steps": 6, "micro_batch": 5, **EVERY}
    spec = tiny_spec(freeze=THAW, base={**keys, "average": 0.5})
    train(spec, tmp_path / "run", "base")
    expected = {name: part.detach() for name, part in build(spec, job="base").named_parameters()}
    for step in range(1, 7):
        found, kept = at(tmp_path / "run", "base", step), share_kept(0.5, step - 1)
        learned = found.model.keys() - found.state.frozen.keys()
        assert found.average.keys() == learned
        assert any(name.startswith("streams.text") for name in learned) == (step > 3)
        for name in learned:
            expected[name] = kept * expected[name] + (1 - kept) * found.model[name]
            torch.testing.assert_close(found.average[name], expected[name], rtol=1e-4, atol=1e-6)
    # It changes nothing of how the weights learn.
    train(tiny_spec(freeze=THAW, base=keys), tmp_path / "plain", "base")
    plain = tmp_path / "plain/base/checkpoints/step-00000006"
    assert last_bytes(tmp_path / "plain", "base", 6) == last_bytes(tmp_path / "run", "base", 6)
    assert not (plain / AVERAGE).exists()


@pytest.mark.parametrize(("stop", "adapt"), [(2, ()), (3, ADAPT), (5, ())])
def test_a_stopped_run_goes_on_bit_for_bit(
    tiny_spec: Callable[..., Spec], tmp_path: Path, stop: int, adapt: tuple[Adapt, ...]
) -> None:
    keys = {"steps": 6, "checkpoint_every": 6, "validate_every": 2, "average": 0.9}
    spec = tiny_spec(freeze=THAW[: 1 if adapt else 2], adapt=adapt, base=keys)
    train(spec, tmp_path / "whole", "base")
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "parts", "base", observer=StopAt(stop))
    train(spec, tmp_path / "parts", "base")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert last_bytes(parts, "base", 6) == last_bytes(whole, "base", 6)
    assert average_bytes(parts, "base", 6) == average_bytes(whole, "base", 6)
    assert events(parts, "base", "validate")[-1] == events(whole, "base", "validate")[-1]
    if adapt:  # what lies under an adapter is no part of the average, and stays
        last, start = at(whole, "base", 6), build(spec, job="base").state_dict()
        adapters = {n for n in start if is_of_adapter(n) and n.endswith(".weight")}
        text = {name for name in start if name.startswith("streams.text.")}
        under = {name for name in text if not is_of_adapter(name)}
        assert adapters and adapters <= last.average.keys()
        assert under and under <= last.state.frozen.keys()
        assert not last.state.frozen.keys() & last.average.keys()
        assert all(torch.equal(last.measured[name], start[name]) for name in last.state.frozen)


def test_a_damaged_average_is_passed_over(tiny_spec: Callable[..., Spec], tmp_path: Path) -> None:
    spec = tiny_spec(base={"steps": 4, "average": 0.9, **EVERY})
    with pytest.raises(InterruptionError):
        train(spec, tmp_path, "base", observer=StopAt(3))
    file = tmp_path / "base/checkpoints/step-00000003" / AVERAGE
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    train(spec, tmp_path, "base")
    assert any(AVERAGE in text for text in notices(tmp_path, "base"))
    assert any("goes on after step 2" in text for text in notices(tmp_path, "base"))


@pytest.mark.parametrize("shard", ["none", "full"])
def test_two_processes_average_as_one_does(
    tiny_spec: Callable[..., Spec], tmp_path: Path, shard: str
) -> None:
    base = {"steps": 4, "batch": 11, "micro_batch": 5, "shard": shard, "average": 0.9, **EVERY}
    spec = tiny_spec(dropout=0.0, freeze=(Freeze(selectors=("vision",)),), base=base)
    train(spec, tmp_path / "one", "base")
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "two", "base", observer=StopAt(2))
    run_in_two(spec, tmp_path / "two", "base")
    one, two = (at(tmp_path / name, "base", 4).average for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, mean in one.items():
        torch.testing.assert_close(two[name], mean, rtol=0, atol=1e-3)
    losses = [events(tmp_path / name, "base", "validate")[-1]["losses"] for name in ("one", "two")]
    assert losses[1] == pytest.approx(losses[0], rel=2e-4)


def measured(folder: Path, job: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / job / "result.json").read_text())
    return found


@pytest.mark.parametrize("adapt", [(), ADAPT], ids=["plain", "adapted"])
def test_validations_evaluations_and_later_jobs_take_it(
    tiny_spec: Callable[..., Spec], tmp_path: Path, adapt: tuple[Adapt, ...]
) -> None:
    spec = tiny_spec(
        dropout=0.0,
        adapt=adapt,
        base={"steps": 3, "average": 0.9, **EVERY},
        vqa={"steps": 3, "average": 0.9, "validate_every": 3, "checkpoint_every": 3},
    )
    [name] = [n for n, job in spec.jobs.items() if job.job == "evaluate"]
    last = spec.jobs[name].model_copy(update={"name": "last", "weights": "last"})
    spec = spec.model_copy(update={"jobs": {**spec.jobs, "last": last}})
    train(spec, tmp_path)
    best = json.loads((tmp_path / "base/best.json").read_text())["step"]
    source = at(tmp_path, "base", best)
    assert any("as the average over its steps" in text for text in notices(tmp_path, "vqa"))
    assert source.measured.keys() == source.model.keys()
    assert any(not torch.equal(source.measured[n], source.model[n]) for n in source.average)
    ours, theirs = measured(tmp_path, name), measured(tmp_path, "last")
    assert (ours["weights"], theirs["weights"]) == ("average", "last")
    assert ours["metrics"]["loss"] != theirs["metrics"]["loss"]
    assert measured(tmp_path, "vqa")["weights"] == "average"


def test_a_plan_counts_and_names_it(tiny_spec: Callable[..., Spec]) -> None:
    with_it, without = (
        plan(tiny_spec(freeze=THAW, base={"steps": 4, "average": average}), device="cpu").jobs[0]
        for average in (0.9, None)
    )
    for ours, plain in zip(with_it.stages, without.stages, strict=True):
        assert ours.memory.average == 4 * ours.trainable and plain.memory.average == 0
        assert ours.memory.peak == plain.memory.peak + ours.memory.average
    assert with_it.checkpoint is not None and without.checkpoint is not None
    assert with_it.checkpoint.bytes - without.checkpoint.bytes == 4 * with_it.stages[-1].trainable
    assert with_it.average is not None and "leaves 0.9" in with_it.average
    assert without.average is None


SPEC = """
model tiny {
  backbone text   = plain_text { layers = 1, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 1, width = 64, heads = 4, image_size = 64 }
  fusion cross = cross_attention(text, vision) { layers = 1 }
}
finetune f on tiny {
  task = easy_vqa
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 4
  AVERAGE
}
evaluate e of f { split = test, weights = last }
"""


@pytest.mark.parametrize(
    ("average", "codes"),
    [
        ("average = 0.99", []),
        ("", ["VL506"]),
        ("average = 1", ["VL405"]),
        ("average = 0", ["VL405"]),
    ],
)
def test_what_check_says_of_it(average: str, codes: list[str]) -> None:
    found = check(Source(name="main.vl", text=SPEC.replace("AVERAGE", average)))
    assert [one.code for one in found if one.severity != "note"] == codes
