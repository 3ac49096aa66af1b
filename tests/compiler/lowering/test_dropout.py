"""Dropout: its share, its scale, its gradient, its masks."""

import pytest
import torch

from renaissance.compiler.lowering.dropout import FastDropout, add_dropped, drop_weights, dropout


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


def test_dropped_weights_are_those_that_dropout_gives_and_so_are_their_gradients() -> None:
    scores = torch.randn(4, 6, 30, dtype=torch.float64, requires_grad=True)
    found = []
    for drop in (dropout, drop_weights):
        torch.manual_seed(5)
        dropped = drop(scores.softmax(-1), 0.3)
        (gradient,) = torch.autograd.grad(dropped.sin().sum(), scores)
        found.append((dropped.detach(), gradient))
    assert 0 < (found[0][0] == 0).sum() < found[0][0].numel()
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_weights_that_are_kept_are_those_of_the_product_behind() -> None:
    kept: set[int] = set()

    def keep(part: torch.Tensor) -> torch.Tensor:
        if part.dim() == 3 and part.shape[-1] == 30:
            kept.add(part.untyped_storage().data_ptr())
        return part

    scores = torch.randn(4, 6, 30, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda part: part):
        sums = drop_weights(scores.softmax(-1), 0.3) @ torch.randn(4, 30, 5, requires_grad=True)
    sums.sum().backward()
    # What the softmax gave, and what was left of it.
    assert len(kept) == 2


@pytest.mark.parametrize("probability", [0.0, 0.4])
def test_a_sum_with_an_update_of_which_some_is_dropped(probability: float) -> None:
    update, tokens = (torch.randn(5, 7, dtype=torch.float64, requires_grad=True) for _ in range(2))
    found = []
    for add in (add_dropped, lambda one, other, p: dropout(one, p) + other):
        torch.manual_seed(5)
        out = add(update, tokens, probability)
        found.append((out, *torch.autograd.grad(out.sin().sum(), (update, tokens))))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)
    layer = FastDropout(probability)
    torch.manual_seed(5)
    assert torch.equal(layer.add(update, tokens), found[0][0])
    assert torch.equal(layer.eval().add(update, tokens), update + tokens)


def test_a_sum_in_mixed_types_is_in_the_wider_one() -> None:
    update, tokens = torch.randn(5, 7, dtype=torch.bfloat16), torch.randn(5, 7)
    assert add_dropped(update, tokens, 0.4).dtype == torch.float32


def test_nothing_is_dropped_in_evaluation_or_at_probability_zero() -> None:
    values = torch.randn(5)
    assert torch.equal(FastDropout(0.9).eval()(values), values)
    assert FastDropout(0.0)(values) is values
    assert dropout(torch.randn(0, 3), 0.5).shape == (0, 3)
