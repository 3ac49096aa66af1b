"""Linear maps of many tokens on a CPU, in float32, by oneDNN.

torch hands these products to MKL and asks oneDNN only in graphs that it compiled, although oneDNN
is the faster of the two on some processors; `benchmarks/linear.py` compares them.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._C._functorch import is_legacy_batchedtensor
from torch.utils.flop_counter import register_flop_formula

from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.onednn_views import as_onednn
from renaissance.compiler.model.adapter import AdaptedLinear
from renaissance.compiler.model.heads import TiedLmHead
from renaissance.compiler.standing import traced, transformed

MINIMAL_WORK = 5 * 10**7
"""Multiply-adds from which on oneDNN gains: with fewer, preparing a product costs more than it
saves."""

MANY_ROWS = 256
"""Tokens from which on it also gains in the backward pass, where it copies what has another order
there: the weight, or its gradient."""

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
    if not torch.is_grad_enabled():
        return _mapped(tokens, weight, bias)
    return _Linear.apply(tokens, weight, bias)  # type: ignore[no-any-return]


def replace_linear_maps(model: nn.Module) -> None:
    """Let every plain `nn.Linear` of a model run by way of `linear`, in place.

    Their class stays `nn.Linear`, by which quantisers and others find them; what pickles and copies
    hold of them does the same.
    """
    for part in model.modules():
        if type(part) is nn.Linear and "forward" not in vars(part):
            part.forward = Forward(part)  # type: ignore[method-assign]
        elif type(part) is AdaptedLinear:
            part.product = linear
        elif type(part) is TiedLmHead:
            part.__class__ = LoweredTiedLmHead


class LoweredTiedLmHead(TiedLmHead):
    """A head whose last map runs as other linear maps do."""

    def decode(self, tokens: Tensor, words: Tensor) -> Tensor:
        """Compare tokens `[items, c]` with words `[word pieces, c]`."""
        return linear(tokens, words, self.bias)


def as_it_runs(part: nn.Linear) -> Callable[[Tensor, Tensor, Tensor | None], Tensor]:
    """Return the product that a plain linear map runs, for other weights than its own."""
    return linear if isinstance(vars(part).get("forward"), Forward) else F.linear


def restore_linear_maps(model: nn.Module) -> None:
    """Undo `replace_linear_maps`.

    A compiled graph holds plain products in any case, and layers share one only where nothing of
    theirs but their parameters differs.
    """
    for part in model.modules():
        if isinstance(vars(part).get("forward"), Forward):
            del part.forward
        elif type(part) is AdaptedLinear:
            part.product = F.linear


@dataclass(frozen=True, slots=True)
class OneDnn:
    """Large linear maps in float32 run by oneDNN on a CPU, those of libraries too."""

    name: str = "linear"

    def applies(self, model: nn.Module, context: Context) -> bool:
        """Whether a model has linear maps that may run on a CPU."""
        return context.maybe_cpu and any(type(part) is nn.Linear for part in model.modules())

    def apply(self, model: nn.Module, context: Context) -> None:
        """Let every plain linear map choose when it runs."""
        replace_linear_maps(model)

    def explain(self, model: nn.Module, context: Context) -> str:
        """Say which of them run so."""
        return "on a CPU linear maps of many tokens in float32 run by oneDNN"


class Forward:
    """The `forward` of one `nn.Linear`, by way of `linear`.

    Args:
        part: the module; held weakly, because a cycle would keep its weights in memory.
    """

    __slots__ = ("part",)

    def __init__(self, part: nn.Linear) -> None:
        self.part = weakref.ref(part)

    def __call__(self, input: Tensor) -> Tensor:
        """Map tokens `[..., in_features]` to `[..., out_features]`."""
        part = self.part()
        assert part is not None  # whoever calls it came by way of the module
        return linear(input, part.weight, part.bias)

    def __reduce__(self) -> tuple[type["Forward"], tuple[nn.Linear | None]]:
        """Go with the module into copies and pickles."""
        return Forward, (self.part(),)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tokens: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        of_tokens, of_weight, _ = ctx.needs_input_grad
        ctx.save_for_backward(tokens if of_weight else None, weight if of_tokens else None)
        return _mapped(tokens, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        tokens, weight = ctx.saved_tensors
        gradient = gradient.contiguous()
        # oneDNN's products know no derivative, which a gradient of this gradient would ask for.
        by_onednn = gradient.shape[:-1].numel() >= MANY_ROWS and not (
            torch.is_grad_enabled() or transformed() or is_legacy_batchedtensor(gradient)
        )
        wanted, of_weight, of_bias = ctx.needs_input_grad
        found = _of_tokens(gradient, weight, by_onednn) if wanted else None
        if by_onednn and of_weight:
            return found, *_of_weight(gradient, tokens, of_bias)
        rows = gradient.reshape(-1, gradient.shape[-1])
        return (
            found,
            rows.t() @ tokens.reshape(-1, tokens.shape[-1]) if of_weight else None,
            rows.sum(0) if of_bias else None,
        )


def _of_tokens(gradient: Tensor, weight: Tensor, by_onednn: bool) -> Tensor:
    if by_onednn:
        # A transposed weight would be put in order value by value.
        return _mapped(gradient, weight.t().contiguous(), None)
    rows = gradient.reshape(-1, gradient.shape[-1]) @ weight
    return rows.view(*gradient.shape[:-1], weight.shape[1])


def _of_weight(gradient: Tensor, tokens: Tensor, of_bias: bool) -> tuple[Tensor, Tensor | None]:
    """Return the gradients of a weight `[out, in]` and of its bias `[out]`."""
    rows, read = (part.reshape(-1, part.shape[-1]) for part in (gradient, tokens))
    # The weight itself is asked for its type alone.
    weight, bias = torch.ops.aten.mkldnn_linear_backward_weights(
        as_onednn(rows), as_onednn(read), tokens, of_bias
    )
    return weight.to_dense(), bias.to_dense() if of_bias else None


def _by_onednn(tokens: Tensor, weight: Tensor) -> bool:
    # A graph that is being compiled must not depend on the number of tokens: asked first.
    return (
        not torch.compiler.is_compiling()
        and not traced()
        and tokens.device.type == "cpu"
        and tokens.dtype == torch.float32
        and tokens.dim() > 1
        and tokens.numel() * len(weight) >= MINIMAL_WORK
        and _AVAILABLE
        and not torch.is_autocast_enabled("cpu")
        and not transformed()
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


def _operations_of_gradient(
    gradient: torch.Size, tokens: torch.Size, *rest: Any, out_shape: Any = None, **options: Any
) -> int:
    """Count two operations for a multiply-add."""
    return 2 * gradient.numel() * tokens[1]


if _AVAILABLE:
    register_flop_formula(torch.ops.mkldnn._linear_pointwise)(_operations)
    register_flop_formula(torch.ops.aten.mkldnn_linear_backward_weights)(_operations_of_gradient)
