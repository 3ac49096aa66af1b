"""One pass, several passes and two processes are as one; a run that is resumed is as one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.objectives.itc.schema import Itc
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from renaissance.runtime.results import read_result
from tests.runs import StopAt, events, last_bytes, run_in_two, train

OTHERS = (Mlm(), Itm(draw="data"))
"""Objectives whose items do not depend on how rows are cut into passes."""


def weights(folder: Path, steps: int) -> dict[str, torch.Tensor]:
    return load_file(folder / f"base/checkpoints/step-{steps:08d}/model.safetensors")


def same(one: Path, other: Path, steps: int) -> None:
    """Compare the lines of steps and validations, and the last weights."""
    for event in ("step", "validate"):
        lines, others = (events(folder, "base", event) for folder in (one, other))
        assert len(lines) == len(others) > 0
        for ours, theirs in zip(lines, others, strict=True):
            assert theirs["losses"] == pytest.approx(ours["losses"], rel=2e-4)
            assert theirs["metrics"] == pytest.approx(ours["metrics"], abs=1e-6)
    ours, theirs = weights(one, steps), weights(other, steps)
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        torch.testing.assert_close(theirs[name], weight, atol=1e-3, rtol=1e-3)


def examined(spec: Spec) -> Spec:
    """Return a spec that measures what its pretraining holds out, in passes of another size."""
    exam = Evaluate(name="exam", of="base", split="validation", batch=4)
    return spec.model_copy(update={"jobs": {"base": spec.jobs["base"], "exam": exam}})


def as_validated(folder: Path) -> None:
    """Compare what was measured with the validation that chose the weights."""
    best = json.loads((folder / "base" / "best.json").read_text())
    found = json.loads((folder / "exam" / "result.json").read_text())
    assert found["metrics"] == pytest.approx(best["metrics"] | best["losses"], rel=1e-5)


@pytest.mark.parametrize("objective", [Itc(), Itc(loss="sigmoid", temperature=0.1)])
def test_passes_and_processes_are_as_one_large_batch(
    objective: Itc, tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    base: dict[str, Any] = {"objectives": (*OTHERS, objective), "batch": 12, "steps": 4}
    whole = tiny_spec(dropout=0.0, base=base)
    cut = tiny_spec(dropout=0.0, base={**base, "micro_batch": 3})
    train(whole, tmp_path / "one", "base")
    train(cut, tmp_path / "four", "base")
    run_in_two(whole, tmp_path / "two", "base")
    run_in_two(examined(cut), tmp_path / "both", "base", "exam")
    for other in ("four", "two", "both"):
        same(tmp_path / "one", tmp_path / other, 4)
    as_validated(tmp_path / "both")


def test_frozen_towers_stay_and_learn_by_their_projections(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    freeze = (Freeze(selectors=("vision", "text")),)
    spec = tiny_spec(freeze=freeze, base={"objectives": (Itc(),), "batch": 12, "micro_batch": 5})
    train(examined(spec), tmp_path)
    as_validated(tmp_path)
    assert events(tmp_path, "base", "step")
    result = read_result(tmp_path / "base")
    assert result is not None and result.samples
    for one in result.samples:
        nearest, *_ = one.choices
        assert (nearest.text, nearest.probability) == (one.prediction, one.probability)
        assert nearest.right is one.correct
        assert one.answer in [choice.text for choice in one.choices if choice.right]
        assert [c.probability for c in one.choices] == sorted(
            (c.probability for c in one.choices), reverse=True
        )


def test_a_resumed_run_with_hard_negatives_has_the_same_bits(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    objectives = (Mlm(), Itm(hard=True, negatives=2), Itc())
    keys = {"objectives": objectives, "batch": 12, "micro_batch": 5, "steps": 4}
    spec = tiny_spec(dropout=0.1, base={**keys, "checkpoint_every": 2})
    train(spec, tmp_path / "whole", "base")
    with pytest.raises(InterruptionError):
        train(spec, tmp_path / "parts", "base", observer=StopAt(2))
    train(spec, tmp_path / "parts", "base")
    whole, parts = (last_bytes(tmp_path / name, "base", 4) for name in ("whole", "parts"))
    assert whole == parts
