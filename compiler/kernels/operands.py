"""What both operators make of their arguments."""

from functools import cache

import torch
from torch import Tensor, nn

from renaissance.compiler.kernels.availability import AttentionUnavailable, supported
from renaissance.compiler.standing import traced, transformed

PLAIN = (Tensor, nn.Parameter)


def looked_into(tensor: Tensor) -> bool:
    """Return whether anybody but autograd looks at operations, and needs one to see.

    Graphs, fake tensors, subclasses of tensors, modes and transformations know an operator of
    torch; without them its dispatch costs the host more than a launch.
    """
    return (
        torch.compiler.is_compiling()
        or traced()
        or type(tensor) not in PLAIN
        or torch._C._len_torch_dispatch_stack() > 0
        or transformed()
    )


def seed_tensor(seed: int | Tensor, device: torch.device) -> Tensor:
    """Return a seed as one int64 number on a device."""
    if isinstance(seed, Tensor):
        return seed
    return torch.full((1,), seed, dtype=torch.int64, device=device)


def as_drawn(seed: int | Tensor, dropout: float) -> tuple[Tensor | None, int]:
    """Return a seed as it goes to a kernel: as a tensor on the device, or as a number."""
    if dropout == 0.0:
        return None, 0
    return (seed, 0) if isinstance(seed, Tensor) else (None, seed)


def any_learns(*tensors: Tensor | None) -> bool:
    """Return whether any of the tensors asks for a gradient."""
    return any(tensor is not None and tensor.requires_grad for tensor in tensors)


def require(tensor: Tensor) -> None:
    """Refuse a tensor that no kernel takes here; raises AttentionUnavailable."""
    reason = _refusal(tensor.device, tensor.dtype, tensor.shape[2])
    if reason is not None:
        raise AttentionUnavailable(reason)


@cache
def _refusal(device: torch.device, dtype: torch.dtype, head_dim: int) -> str | None:
    return supported(device, dtype, head_dim)


def contiguous(tensor: Tensor) -> Tensor:
    """A fake result: shape, dtype and device of `tensor`, contiguous."""
    return tensor.new_empty(tensor.shape)
