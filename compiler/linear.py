"""Linear maps of many tokens on a CPU, in float32, by oneDNN.

torch hands these products to MKL and asks oneDNN only in graphs that it compiled, although oneDNN
is the faster of the two on some processors; `benchmarks/linear.py` compares them.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.flop_counter import register_flop_formula

MINIMAL_WORK = 10**8
"""Multiply-adds from which on oneDNN gains: with fewer, preparing a product costs more than it
saves."""

MANY_ROWS = 2048
"""Tokens from which on it also gains where it has to put the weight in order first."""

_AVAILABLE = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def linear(tokens: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Map tokens `[..., in]` to `[..., out]`.

    Args:
        tokens: of any device and floating-point type.
        weight: `[out, in]`.
        bias: `[out]`, or None.
    """
    if not _by_onednn(tokens, weight):
        return F.linear(tokens, weight, bias)
    return _Linear.apply(tokens, weight, bias)  # type: ignore[no-any-return]


class Linear(nn.Linear):
    """`nn.Linear` by way of `linear`; the parameters are the same."""

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens `[..., in_features]` to `[..., out_features]`."""
        return linear(tokens, self.weight, self.bias)


def replace_linear_maps(model: nn.Module) -> None:
    """Let every plain `nn.Linear` of a model run as `Linear`, in place."""
    for part in model.modules():
        if type(part) is nn.Linear:
            part.__class__ = Linear


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tokens: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        of_tokens, of_weight, _ = ctx.needs_input_grad
        ctx.save_for_backward(tokens if of_weight else None, weight if of_tokens else None)
        return _mapped(tokens, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        tokens, weight = ctx.saved_tensors
        gradient = gradient.contiguous()
        rows = gradient.flatten(0, -2)
        of_tokens = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            # A transposed weight would be put in order value by value.
            of_tokens = (
                _mapped(gradient, weight.t().contiguous(), None)
                if len(rows) >= MANY_ROWS
                else gradient @ weight
            )
        if ctx.needs_input_grad[1]:
            of_weight = rows.t() @ tokens.flatten(0, -2)
        if ctx.needs_input_grad[2]:
            of_bias = rows.sum(0)
        return of_tokens, of_weight, of_bias


def _by_onednn(tokens: Tensor, weight: Tensor) -> bool:
    # A graph that is being compiled must not depend on the number of tokens: asked first.
    return (
        not torch.compiler.is_compiling()
        and tokens.device.type == "cpu"
        and tokens.dtype == torch.float32
        and tokens.dim() > 1
        and tokens.numel() * len(weight) >= MINIMAL_WORK
        and _AVAILABLE
        and not torch.is_autocast_enabled("cpu")
    )


def _mapped(tokens: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(  # type: ignore[no-any-return]
        tokens, weight, bias, "none", [], ""
    )


def _operations(
    tokens: torch.Size, weight: torch.Size, *rest: Any, out_shape: Any = None, **options: Any
) -> int:
    """Count two operations for a multiply-add."""
    return 2 * tokens.numel() * weight[0]


if _AVAILABLE:
    register_flop_formula(torch.ops.mkldnn._linear_pointwise)(_operations)
