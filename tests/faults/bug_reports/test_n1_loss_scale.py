"""The scale of fp16 losses is that of one process in any number; skipped steps are told."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.precision import Precision
from tests.runs import notices, train

CPU = torch.device("cpu")


def stepped(precision: Precision, ranks: int, losses: list[float]) -> torch.nn.Parameter:
    """Take a step for each loss as each of several processes does, all with the same texts."""
    weight = torch.nn.Parameter(torch.ones(()))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    for loss in losses:
        # The gradient that processes average is that of a loss times their number.
        precision.backward(weight * loss * ranks)
        assert weight.grad is not None
        weight.grad /= ranks
        precision.step(optimizer, [weight], None)
        optimizer.zero_grad()
    return weight


@pytest.mark.parametrize("ranks", [2, 3, 8])
def test_overflow_is_where_it_is_in_one_process(ranks: int) -> None:
    one, several = Precision("fp16", CPU), Precision("fp16", CPU, ranks=ranks)
    assert one.state() == pytest.approx(several.state()) and one.scale == 2.0**16
    losses = [0.25, math.inf, 0.125, math.inf]
    assert torch.allclose(stepped(one, 1, losses), stepped(several, ranks, losses))
    assert one.skipped() == several.skipped() == 2 and one.skipped() == 0
    assert one.scale == pytest.approx(several.scale) == 2.0**14


def test_a_state_is_taken_up_by_another_number_of_processes() -> None:
    two = Precision("fp16", CPU, ranks=2)
    stepped(two, 2, [math.inf])
    one = Precision("fp16", CPU)
    one.load(two.state())
    assert one.scale == two.scale == 2.0**15 and one.state() == two.state()


def test_other_precisions_scale_nothing() -> None:
    for name in ("fp32", "bf16"):
        precision = Precision(name, CPU, ranks=2)  # type: ignore[arg-type]
        assert precision.scale == 1.0 and precision.state() == {}
        stepped(precision, 2, [0.5])
        assert precision.skipped() == 0


def test_skipped_steps_are_in_the_log(
    tiny_spec: Callable[..., Spec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("renaissance.runtime.precision.FIRST_SCALE", 2.0**40)
    train(tiny_spec(base={"precision": "fp16", "steps": 3}), tmp_path, "base")
    [said] = [text for text in notices(tmp_path, "base") if "overflowed" in text][:1]
    assert "skipped" in said and "scaled by" in said
