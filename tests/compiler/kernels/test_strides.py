"""Layouts that the kernels read as they are, and those that are copied first."""

import pytest
import torch

pytest.importorskip("triton", reason="launching imports Triton")

from renaissance.compiler.kernels.launch import _usable


@pytest.mark.parametrize(
    ("stride", "taken"),
    [
        ((32, 16, 1), True),
        ((96, 16, 1), True),
        ((16, 2**31 - 8, 1), True),
        ((16, 2**31, 1), False),
        ((16, 2**33, 1), False),
        ((2**24 - 8, 16, 1), True),
        ((2**24, 16, 1), False),
        ((36, 16, 1), False),
        ((32, 12, 1), False),
        ((32, 1, 2), False),
    ],
)
def test_strides(stride: tuple[int, ...], taken: bool) -> None:
    tensor = torch.empty_strided((2, 2, 16), stride, device="meta", dtype=torch.bfloat16)
    usable = _usable(tensor)
    assert (usable is tensor) is taken
    assert taken or usable.is_contiguous()
