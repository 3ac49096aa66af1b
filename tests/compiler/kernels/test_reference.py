"""The reference itself: against PyTorch's own attention, and its gradients numerically."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from renaissance.compiler.kernels import reference


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_equal_lengths_are_torch_attention():
    query, key, value = draw(3, 5, 2, 8), draw(3, 7, 2, 8, seed=1), draw(3, 7, 2, 8, seed=2)
    bias = draw(2, 5, 7, seed=3)
    cu_query, cu_key = torch.arange(0, 16, 5), torch.arange(0, 22, 7)
    expected = scaled_dot_product_attention(
        *(tensor.transpose(1, 2) for tensor in (query, key, value)), bias, scale=0.3
    ).transpose(1, 2)
    packed = [tensor.flatten(0, 1) for tensor in (query, key, value)]
    output = reference.varlen_attention(*packed, cu_query, cu_key, 5, 7, scale=0.3, bias=bias)
    torch.testing.assert_close(output.unflatten(0, (3, 5)), expected, rtol=1e-12, atol=1e-12)


def test_groups_take_turns():
    tokens, bias = draw(12, 1, 8), draw(2, 1, 3, 3, seed=1)
    ends = torch.arange(0, 13, 3)
    together = reference.varlen_attention(tokens, tokens, tokens, ends, ends, 3, 3, bias=bias)
    for i in range(4):
        part, alone = tokens[3 * i : 3 * i + 3], ends[:2]
        single = reference.varlen_attention(part, part, part, alone, alone, 3, 3, bias=bias[i % 2])
        torch.testing.assert_close(together[3 * i : 3 * i + 3], single)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_gradients(dropout):
    inputs = [draw(7, 2, 4, seed=seed).requires_grad_() for seed in range(3)]
    bias = draw(1, 2, 4, 4, seed=4).requires_grad_()
    ends = torch.tensor([0, 4, 4, 7])

    def attend(query, key, value, bias):
        return reference.varlen_attention(
            query, key, value, ends, ends, 4, 4, bias=bias, dropout=dropout, seed=8
        )

    assert torch.autograd.gradcheck(attend, (*inputs, bias))


def test_rows_that_see_nothing():
    query, key = draw(3, 1, 4), draw(0, 1, 4)
    no_keys = reference.varlen_attention(
        query, key, key, torch.tensor([0, 3]), torch.tensor([0, 0]), 3, 0
    )
    masked = reference.varlen_attention(
        query,
        query,
        query,
        torch.tensor([0, 3]),
        torch.tensor([0, 3]),
        3,
        3,
        bias=torch.full((1, 3, 3), float("-inf"), dtype=torch.float64),
    )
    assert (no_keys == 0).all()
    assert (masked == 0).all()
