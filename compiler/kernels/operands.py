"""What both operators make of their arguments."""

import torch
from torch import Tensor

from renaissance.compiler.kernels.availability import AttentionUnavailable, supported


def seed_tensor(seed: int | Tensor, device: torch.device) -> Tensor:
    """Return a seed as one int64 number on a device."""
    if isinstance(seed, Tensor):
        return seed
    return torch.full((1,), seed, dtype=torch.int64, device=device)


def require(tensor: Tensor) -> None:
    """Refuse a tensor that no kernel takes here; raises AttentionUnavailable."""
    reason = supported(tensor.device, tensor.dtype, tensor.shape[2])
    if reason is not None:
        raise AttentionUnavailable(reason)


def contiguous(tensor: Tensor) -> Tensor:
    """A fake result: shape, dtype and device of `tensor`, contiguous."""
    return tensor.new_empty(tensor.shape)
