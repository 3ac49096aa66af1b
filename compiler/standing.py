"""Where an operation stands: on which device, in which type, under which transformation."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.autograd import forward_ad

_meta_stands_for = "cpu"
_meta_products: torch.dtype | None = None


@contextmanager
def meta_stands_for(device: str, products: torch.dtype | None = None) -> Iterator[None]:
    """Let tensors on torch's meta device count as tensors on a device of this type.

    Args:
        device: the type.
        products: that autocast computes in there; None without autocast.
    """
    global _meta_stands_for, _meta_products
    before = _meta_stands_for, _meta_products
    _meta_stands_for, _meta_products = device, products
    try:
        yield
    finally:
        _meta_stands_for, _meta_products = before


def device_type(tensor: Tensor) -> str:
    """Return the type of the device that a tensor is on, or stands for being on."""
    return _meta_stands_for if tensor.device.type == "meta" else tensor.device.type


def product_dtype(tensor: Tensor) -> torch.dtype:
    """Return the dtype that a linear map of a tensor gives where it is, autocast or not."""
    device = tensor.device.type
    if tensor.dtype == torch.float64:
        return tensor.dtype
    if device == "meta":
        return tensor.dtype if _meta_products is None else _meta_products
    if _has_autocast(device) and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return tensor.dtype


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _has_autocast(device: str) -> bool:
    # torch 2.11 cannot trace it: every layer that asks would break its graph.
    return torch.amp.is_autocast_available(device)


def transformed() -> bool:
    """Return whether `torch.func` or forward-mode differentiation looks into operations."""
    active: bool = torch._C._are_functorch_transforms_active()
    return active or differentiates_forward()


def differentiates_forward() -> bool:
    """Return whether derivatives are computed in forward mode."""
    return forward_ad._current_level >= 0


def traced() -> bool:
    """Return whether `torch.jit.trace`, or an export to ONNX by tracing, writes operations down."""
    return torch.jit.is_tracing()  # type: ignore[attr-defined, no-any-return, no-untyped-call]
