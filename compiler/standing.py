"""What torch's meta device stands for while a pass is traced without being computed."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

_meta_stands_for = "cpu"


@contextmanager
def meta_stands_for(device: str) -> Iterator[None]:
    """Let tensors on torch's meta device count as tensors on a device of this type."""
    global _meta_stands_for
    before, _meta_stands_for = _meta_stands_for, device
    try:
        yield
    finally:
        _meta_stands_for = before


def device_type(tensor: Tensor) -> str:
    """Return the type of the device that a tensor is on, or stands for being on."""
    return _meta_stands_for if tensor.device.type == "meta" else tensor.device.type
