"""Matrices of torch as oneDNN's, over the same memory.

The gradient of a weight is a product that torch offers for tensors of oneDNN alone, and
`Tensor.to_mkldnn` copies all that it is given. A matrix whose rows lie behind each other needs no
copy: oneDNN only wants to be told its sizes, in a description of its own. torch makes tensors of
such descriptions for programs that it compiled ahead of time, by a function of its C interface.
"""

import ctypes
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

FLOAT32, CPU, MKLDNN = 6, 0, 3
"""Numbers of a type, a device and a layout in torch's C interface."""


def as_onednn(matrix: Tensor) -> Tensor:
    """Return a matrix `[rows, columns]` float32 on a CPU as a tensor of oneDNN.

    It holds no memory of its own where torch can make it so: it must not outlive the matrix.
    """
    if _view is None or type(matrix) not in (Tensor, nn.Parameter) or not matrix.is_contiguous():
        return matrix.to_mkldnn()
    return _view(matrix)


@lru_cache(maxsize=64)
def _description(rows: int, columns: int) -> bytes:
    """Return how oneDNN describes a matrix of these sizes whose rows lie behind each other."""
    example = torch.empty(rows, columns).to_mkldnn()
    return bytes(torch.ops.mkldnn._get_mkldnn_serialized_md(example).tolist())


def _viewing() -> Callable[[Tensor], Tensor] | None:
    """Return what makes the tensors, or None where this torch has no such function."""
    library = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
    try:
        make: Any = ctypes.CDLL(str(library)).aoti_torch_create_tensor_from_blob_v2
        own = torch._C._aoti.alloc_tensor_by_stealing_from_void_ptr
        torch.ops.mkldnn._get_mkldnn_serialized_md  # noqa: B018
    except (OSError, AttributeError):
        return None
    pointer, size, code = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32
    make.argtypes = [pointer, size, pointer, pointer, size, code, code, code, pointer, code]
    make.argtypes += [ctypes.c_char_p, size]
    make.restype = code
    capsule: Any = ctypes.pythonapi.PyCapsule_New
    capsule.argtypes, capsule.restype = [pointer, ctypes.c_char_p, pointer], ctypes.py_object

    def view(matrix: Tensor) -> Tensor:
        sizes, strides = (size * 2)(*matrix.shape), (size * 2)(*matrix.stride())
        description = _description(*matrix.shape)
        place = (matrix.data_ptr(), 2, sizes, strides, 0)
        made = pointer()
        what = (FLOAT32, CPU, -1, ctypes.byref(made), MKLDNN, description, len(description))
        if make(*place, *what) != 0:
            return matrix.to_mkldnn()
        return own(capsule(made, None, None))

    return view


_view = _viewing()
