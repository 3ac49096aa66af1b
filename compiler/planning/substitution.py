"""What a device runs where torch's meta device would run something else.

Four things depend on the device and decide how much memory or arithmetic a pass takes: which
attention kernel runs and what it keeps, whether projections are absorbed, whether dropout keeps its
mask as bytes or as numbers, and the types that autocast chooses.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from renaissance.compiler.lowering.dispatch import PRODUCTS
from renaissance.compiler.planning.machines import Device, Precision
from renaissance.compiler.standing import meta_stands_for

_LOWERED: frozenset[Any] = frozenset(
    {
        F.linear,
        F.conv1d,
        F.conv2d,
        F.conv3d,
        torch.matmul,
        torch.mm,
        torch.bmm,
        torch.addmm,
        torch.baddbmm,
        torch.einsum,
        Tensor.matmul,
        Tensor.mm,
        Tensor.bmm,
        Tensor.__matmul__,
        Tensor.__rmatmul__,
        F.scaled_dot_product_attention,
    }
)
"""What autocast computes in the lower precision.

Source: torch's documentation of autocast, operations that autocast to lower precision."""

_RAISED: frozenset[Any] = frozenset(
    {
        F.layer_norm,
        F.group_norm,
        F.softmax,
        F.log_softmax,
        torch.softmax,
        torch.log_softmax,
        Tensor.softmax,
        Tensor.log_softmax,
    }
)
"""What autocast computes in float32 on a GPU, and on a CPU in the type of its input."""


class Substitution(TorchFunctionMode):
    """Runs what a device would run.

    Args:
        device: its type.
        precision: of the pass.
    """

    def __init__(self, device: Device, precision: Precision) -> None:
        super().__init__()
        self._gpu = device == "cuda"
        self._type = None if precision == "fp32" else PRODUCTS[precision]
        self._casts: dict[int, Tensor] = {}
        self._device = device
        self._entered = ExitStack()

    def __enter__(self) -> "Substitution":
        """Let what chooses by the device choose as for this one."""
        self._entered.enter_context(meta_stands_for(self._device, self._type))
        return super().__enter__()  # type: ignore[no-any-return, no-untyped-call]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call a function as the device would."""
        kwargs = kwargs or {}
        if func in (Tensor.__bool__, Tensor.item) and args[0].is_meta:
            # Values that nobody has: libraries ask whether all tokens of a mask are present.
            return False
        if self._type is not None and func in _LOWERED:
            args, kwargs = pytree.tree_map(self._lower, (args, kwargs))
        elif self._type is not None and self._gpu and func in _RAISED:
            args, kwargs = pytree.tree_map(_raise, (args, kwargs))
        if func is F.scaled_dot_product_attention:
            return self._attention(*args, **kwargs)
        if self._gpu and func is F.dropout:
            return _dropout(*args, **kwargs)
        return func(*args, **kwargs)

    def __exit__(self, *error: Any) -> None:
        """Forget the cast weights, as autocast does when it is left."""
        self._casts.clear()
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self._entered.close()

    def _lower(self, value: Any) -> Any:
        if not isinstance(value, Tensor) or value.dtype != torch.float32:
            return value
        if not (value.is_leaf and value.requires_grad):
            return value.to(self._type)
        # Weights that learn are cast once a pass.
        if id(value) not in self._casts:
            self._casts[id(value)] = value.to(self._type)
        return self._casts[id(value)]

    def _attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Any:
        aten = torch.ops.aten
        if query.dim() == 4 and not enable_gqa:
            if self._gpu and attn_mask is None and query.dtype != torch.float32:
                return aten._scaled_dot_product_flash_attention(
                    query, key, value, dropout_p, is_causal, False, scale=scale
                )[0]
            if self._gpu:
                return aten._scaled_dot_product_efficient_attention(
                    query, key, value, attn_mask, True, dropout_p, is_causal, scale=scale
                )[0]
            learned = attn_mask is not None and attn_mask.requires_grad
            if dropout_p == 0.0 and not learned:
                if attn_mask is not None:
                    # torch turns a mask into numbers first.
                    attn_mask = attn_mask.to(query.dtype)
                return aten._scaled_dot_product_flash_attention_for_cpu(
                    query, key, value, 0.0, is_causal, attn_mask=attn_mask, scale=scale
                )[0]
        # Without a fused kernel, and a CPU has none for dropout or the gradient of a bias, the meta
        # device takes products and a softmax, as the device does.
        return F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=attn_mask,
            dropout_p=dropout_p,
            is_causal=is_causal,
            scale=scale,
            enable_gqa=enable_gqa,
        )


def _raise(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value


def _dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    if not training or p == 0.0:
        return input
    return torch.native_dropout(input, p, True)[0]
