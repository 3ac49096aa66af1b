"""Matrices of oneDNN over memory of torch."""

import pytest
import torch
from torch import Tensor

from renaissance.compiler.lowering import onednn_views
from renaissance.compiler.lowering.linear import linear
from renaissance.compiler.lowering.onednn_views import as_onednn

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(),  # type: ignore[no-untyped-call]
    reason="this torch has no oneDNN",
)


def gradients(tokens: Tensor, weight: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(linear(tokens, weight, None).square().sum(), (tokens, weight))


@pytest.mark.parametrize("size", [(1, 1), (300, 5), (257, 768)])
def test_it_is_the_matrix(size: tuple[int, int]) -> None:
    matrix = torch.randn(size)
    view = as_onednn(matrix)
    assert view.is_mkldnn and view.shape == matrix.shape
    torch.testing.assert_close(view.to_dense(), matrix, rtol=0, atol=0)


def test_it_copies_nothing_that_stands_in_order() -> None:
    if onednn_views._view is None:
        pytest.skip("this torch only copies")
    matrix = torch.zeros(8, 4)
    view = as_onednn(matrix)
    matrix += 1
    torch.testing.assert_close(view.to_dense(), torch.ones(8, 4), rtol=0, atol=0)


def test_what_stands_in_another_order_is_copied() -> None:
    matrix = torch.randn(4, 8).t()
    torch.testing.assert_close(as_onednn(matrix).to_dense(), matrix, rtol=0, atol=0)


def test_gradients_are_those_of_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = torch.randn(512, 320, requires_grad=True)
    weight = torch.randn(640, 320, requires_grad=True)
    found = gradients(tokens, weight)
    monkeypatch.setattr(onednn_views, "_view", None)
    for one, other in zip(found, gradients(tokens, weight), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
