"""Training without lowerings: the same losses, whatever the job asks for besides."""

from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.schema.spec import Spec
from tests.runs import events, notices, train


def losses(spec: Spec, folder: Path, job: str) -> list[float]:
    return [event["loss"] for event in events(folder, job, "step")]


def test_losses_are_those_of_the_lowered_model(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    found = {}
    for lower in ("auto", "none"):
        spec = tiny_spec(dropout=0.0, lower=lower)
        train(spec, tmp_path / lower, "base", "vqa")
        found[lower] = [losses(spec, tmp_path / lower, job) for job in ("base", "vqa")]
    for one, other in zip(found["auto"], found["none"], strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_what_only_makes_it_faster_is_left_out(
    tiny_spec: Callable[..., Spec], tmp_path: Path
) -> None:
    more = {"recompute": "layers", "compile": "layers", "precision": "bf16"}
    train(tiny_spec(lower="none", base=more), tmp_path, "base")
    (start,) = events(tmp_path, "base", "start")
    assert not start["compiled"]
    told = notices(tmp_path, "base")
    assert not [text for text in told if "computed again" in text]
    assert any("the model runs as it is written" in text for text in told)
