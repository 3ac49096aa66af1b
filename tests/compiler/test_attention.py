"""Attention of the project's own modules against its definition in float64."""

import pytest
import torch

from renaissance.compiler.attention import MultiHeadAttention, attention, choose
from renaissance.compiler.errors import CompileError


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_equals_the_definition(implementation: str) -> None:
    torch.manual_seed(0)
    query = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    key, value = (torch.randn(2, 3, 6, 5, dtype=torch.float64) for _ in range(2))
    mask = torch.tensor([[True] * 6, [True, True, False, True, False, False]])
    scores = torch.einsum("bhqd,bhkd->bhqk", query, key) / 5**0.5
    weights = scores.masked_fill(~mask[:, None, None], float("-inf")).softmax(-1)
    wanted = torch.einsum("bhqk,bhkd->bhqd", weights, value)
    found = attention(query, key, value, key_mask=mask, implementation=implementation)
    torch.testing.assert_close(found, wanted)
    gradients = [torch.autograd.grad(out.square().sum(), query)[0] for out in (found, wanted)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_drops_weights_only_in_training(implementation: str) -> None:
    part = MultiHeadAttention(8, 2, 0.5, implementation)
    tokens = torch.randn(2, 5, 8)
    assert not torch.equal(part(tokens, tokens, None), part(tokens, tokens, None))
    part.eval()
    assert torch.equal(part(tokens, tokens, None), part(tokens, tokens, None))


def test_what_is_not_available_is_refused() -> None:
    assert choose("auto") == "sdpa"
    with pytest.raises(CompileError, match="triton"):
        choose("triton")
