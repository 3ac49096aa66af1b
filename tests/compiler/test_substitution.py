"""What the meta device runs for a device: what is kept for the backward pass is what it keeps."""

from contextlib import AbstractContextManager, nullcontext

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from renaissance.compiler.planning.substitution import Substitution


def kept(
    device: str, running: AbstractContextManager[object], dropout: float, mask: str
) -> list[int]:
    """Return the bytes of each storage that attention keeps for the backward pass."""
    query, key, value = (
        torch.zeros(2, 3, tokens, 8, device=device, requires_grad=True) for tokens in (5, 7, 7)
    )
    bias = None
    if mask == "mask":
        bias = torch.ones(2, 1, 1, 7, dtype=torch.bool, device=device)
    elif mask == "bias":
        bias = torch.zeros(1, 3, 5, 7, device=device, requires_grad=True)
    sizes: dict[int, int] = {}
    alive: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage._cdata] = storage.nbytes()
        alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), running:
        result = F.scaled_dot_product_attention(query, key, value, bias, dropout_p=dropout)
    assert result.shape == (2, 3, 5, 8)
    return sorted(sizes.values())


@pytest.mark.parametrize("mask", ["none", "mask", "bias"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_attention_of_a_cpu_keeps_the_same(dropout: float, mask: str) -> None:
    expected = kept("cpu", nullcontext(), dropout, mask)
    assert kept("meta", Substitution("cpu", "fp32"), dropout, mask) == expected
