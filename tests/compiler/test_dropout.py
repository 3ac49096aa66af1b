"""Dropout: its share, its scale, its gradient, its masks."""

import pytest
import torch

from renaissance.compiler.dropout import Dropout, dropout


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.83])
def test_the_stated_share_is_dropped_and_the_mean_stays(probability: float) -> None:
    torch.manual_seed(0)
    count = 400_003
    dropped = dropout(torch.ones(count), probability)
    kept = (dropped != 0).double()
    deviation = (probability * (1 - probability) / count) ** 0.5
    assert abs(kept.mean().item() - (1 - probability)) < 5 * deviation
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.01)
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / (1 - probability)], rel=1e-4)
    # Neighbours, which come from one draw of 64 bits, are independent of each other.
    for apart in (1, 2, 3, 4):
        both = (kept[apart:] * kept[:-apart]).mean().item()
        assert both == pytest.approx((1 - probability) ** 2, abs=0.005)


def test_the_generator_decides_the_mask() -> None:
    values = torch.randn(7, 5, dtype=torch.float64)
    torch.manual_seed(3)
    first, second = dropout(values, 0.5), dropout(values, 0.5)
    torch.manual_seed(3)
    assert torch.equal(dropout(values, 0.5), first)
    assert not torch.equal(first, second)


def test_gradients_pass_where_values_do() -> None:
    values = torch.randn(50, requires_grad=True)
    dropped = dropout(values, 0.4)
    dropped.sum().backward()
    torch.testing.assert_close(values.grad, (dropped / values).detach())


def test_nothing_is_dropped_in_evaluation_or_at_probability_zero() -> None:
    values = torch.randn(5)
    assert torch.equal(Dropout(0.9).eval()(values), values)
    assert Dropout(0.0)(values) is values
    assert dropout(torch.randn(0, 3), 0.5).shape == (0, 3)
