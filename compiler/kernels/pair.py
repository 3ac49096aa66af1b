"""Co-attention as torch sees it: eager, autograd, fake tensors, compile, export.

The operator is opaque, so that tracing keeps it whole on a machine without a GPU; its backward is
a second one. Where only autograd looks on, the launches are called directly. Nothing here imports
Triton: a launch does, on the first real call.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from renaissance.compiler.kernels.arguments import check_numbers, check_streams
from renaissance.compiler.kernels.call import Call, pair, statistics_shape
from renaissance.compiler.kernels.operands import (
    any_learns,
    as_drawn,
    contiguous,
    looked_into,
    require,
    seed_tensor,
)


def coattention(
    query_a: Tensor,
    key_a: Tensor,
    value_a: Tensor,
    query_b: Tensor,
    key_b: Tensor,
    value_b: Tensor,
    cu_a: Tensor,
    cu_b: Tensor,
    max_a: int,
    max_b: int,
    *,
    scale: float | None = None,
    dropout: float = 0.0,
    seed: int | Tensor = 0,
) -> tuple[Tensor, Tensor]:
    """Let two packed streams attend to each other, both directions in one launch.

    Stream `a` asks `b` and `b` asks `a`: the result is that of
    `varlen_attention(query_a, key_b, value_b, cu_a, cu_b, ...)` and
    `varlen_attention(query_b, key_a, value_a, cu_b, cu_a, ...)`. The kernel picks its stream by
    program number, so the streams stay where they are; only if the strides of, say, `query_a` and
    `query_b` differ are both copied.

    Args:
        query_a: `[a_tokens, heads, head_dim]`; `key_a` and `value_a` alike.
        key_a: keys that stream `b` attends to.
        value_a: values that stream `b` attends to.
        query_b: `[b_tokens, heads, head_dim]`; `key_b` and `value_b` alike.
        key_b: keys that stream `a` attends to.
        value_b: values that stream `a` attends to.
        cu_a: cumulative lengths of stream `a`, int32 `[sequences + 1]`.
        cu_b: cumulative lengths of stream `b`, int32 `[sequences + 1]`.
        max_a: length of the longest sequence of `a` or more, in tokens.
        max_b: length of the longest sequence of `b` or more, in tokens.
        scale: as for `varlen_attention`.
        dropout: as for `varlen_attention`; the two directions draw different masks.
        seed: as for `varlen_attention`.

    Returns:
        What `a` gathered from `b`, `[a_tokens, heads, head_dim]`, and what `b` gathered from `a`,
        `[b_tokens, heads, head_dim]`.

    Raises:
        ValueError: if shapes, dtypes or ranges do not fit together.
        AttentionUnavailable: where `supported` gives a reason.

    Source: Lu et al. 2019, ViLBERT, section 3.1 (co-attention).
    """
    streams = (query_a, key_a, value_a, query_b, key_b, value_b, cu_a, cu_b)
    numbers = (max_a, max_b, query_a.shape[-1] ** -0.5 if scale is None else scale, dropout)
    if looked_into(query_a):
        drawn = seed_tensor(seed, query_a.device) if dropout > 0.0 else None
        output_a, output_b, _ = _pair(*streams, drawn, *numbers)
        return output_a, output_b
    drawn, number = as_drawn(seed, dropout)
    _check_pair(*streams, drawn, *numbers[2:])
    require(query_a)
    if torch.is_grad_enabled() and any_learns(*streams[:6]):
        return _Pair.apply(*streams, drawn, *numbers, number)  # type: ignore[no-any-return]
    return _forward(pair(*streams, drawn, *numbers, number))[:2]


class _Pair(torch.autograd.Function):
    """The operator where nobody looks into it: the same launches, without torch's dispatch."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor]:
        output_a, output_b, log_sum = _forward(pair(*inputs))
        *streams, cu_a, cu_b, _, max_a, max_b, scale, dropout, _ = inputs
        ctx.numbers = (max_a, max_b, scale, dropout)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*streams, output_a, output_b, log_sum, cu_a, cu_b)
        return output_a, output_b

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_a: Tensor | None, grad_b: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        if grad_a is None and grad_b is None:
            return (None,) * 14
        gradients = _backward(*_both(ctx, grad_a, grad_b), *ctx.saved_tensors, *ctx.numbers)
        return *gradients, *(None,) * 8


def _both(ctx: Any, grad_a: Tensor | None, grad_b: Tensor | None) -> tuple[Tensor, Tensor]:
    """One of the streams may lead nowhere, as in a last layer whose head reads only text."""
    output_a, output_b = ctx.saved_tensors[6:8]
    grad_a = torch.zeros_like(output_a) if grad_a is None else grad_a
    grad_b = torch.zeros_like(output_b) if grad_b is None else grad_b
    return grad_a, grad_b


def _forward(call: Call) -> tuple[Tensor, Tensor, Tensor]:
    from renaissance.compiler.kernels import launch

    outputs, log_sum = launch.forward(call)
    return outputs[0], outputs[1], log_sum


def _backward(
    grad_a: Tensor,
    grad_b: Tensor,
    query_a: Tensor,
    key_a: Tensor,
    value_a: Tensor,
    query_b: Tensor,
    key_b: Tensor,
    value_b: Tensor,
    output_a: Tensor,
    output_b: Tensor,
    log_sum: Tensor,
    cu_a: Tensor,
    cu_b: Tensor,
    max_a: int,
    max_b: int,
    scale: float,
    dropout: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    from renaissance.compiler.kernels import launch

    # The forward pass kept what it drew: no seed is asked for again.
    call = pair(
        query_a, key_a, value_a, query_b, key_b, value_b, cu_a, cu_b, None, max_a, max_b, scale,
        dropout,
    )  # fmt: skip
    (first, second), _ = launch.backward(
        call, [output_a, output_b], log_sum, [grad_a, grad_b], bias_gradient=False
    )
    return first.query, second.key, second.value, second.query, first.key, first.value


@torch.library.custom_op("renaissance::coattention", mutates_args=())
def _pair(
    query_a: Tensor,
    key_a: Tensor,
    value_a: Tensor,
    query_b: Tensor,
    key_b: Tensor,
    value_b: Tensor,
    cu_a: Tensor,
    cu_b: Tensor,
    seed: Tensor | None,
    max_a: int,
    max_b: int,
    scale: float,
    dropout: float,
) -> tuple[Tensor, Tensor, Tensor]:
    _check_pair(query_a, key_a, value_a, query_b, key_b, value_b, cu_a, cu_b, seed, scale, dropout)
    require(query_a)
    call = pair(
        query_a, key_a, value_a, query_b, key_b, value_b, cu_a, cu_b, seed, max_a, max_b, scale,
        dropout,
    )  # fmt: skip
    return _forward(call)


@_pair.register_fake
def _(
    query_a: Tensor,
    key_a: Tensor,
    value_a: Tensor,
    query_b: Tensor,
    key_b: Tensor,
    value_b: Tensor,
    cu_a: Tensor,
    cu_b: Tensor,
    seed: Tensor | None,
    max_a: int,
    max_b: int,
    scale: float,
    dropout: float,
) -> tuple[Tensor, Tensor, Tensor]:
    _check_pair(query_a, key_a, value_a, query_b, key_b, value_b, cu_a, cu_b, seed, scale, dropout)
    rows = query_a.shape[0] + query_b.shape[0]
    shape = statistics_shape(query_a.shape[1], rows, dropout)
    log_sum = query_a.new_empty(shape, dtype=torch.float32)
    return contiguous(query_a), contiguous(query_b), log_sum


@torch.library.custom_op("renaissance::coattention_backward", mutates_args=())
def _pair_backward(
    grad_a: Tensor,
    grad_b: Tensor,
    query_a: Tensor,
    key_a: Tensor,
    value_a: Tensor,
    query_b: Tensor,
    key_b: Tensor,
    value_b: Tensor,
    output_a: Tensor,
    output_b: Tensor,
    log_sum: Tensor,
    cu_a: Tensor,
    cu_b: Tensor,
    max_a: int,
    max_b: int,
    scale: float,
    dropout: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    require(query_a)
    return _backward(
        grad_a, grad_b, query_a, key_a, value_a, query_b, key_b, value_b, output_a, output_b,
        log_sum, cu_a, cu_b, max_a, max_b, scale, dropout,
    )  # fmt: skip


@_pair_backward.register_fake
def _(
    grad_a: Tensor,
    grad_b: Tensor,
    query_a: Tensor,
    key_a: Tensor,
    value_a: Tensor,
    query_b: Tensor,
    key_b: Tensor,
    value_b: Tensor,
    output_a: Tensor,
    output_b: Tensor,
    log_sum: Tensor,
    cu_a: Tensor,
    cu_b: Tensor,
    max_a: int,
    max_b: int,
    scale: float,
    dropout: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    return (
        contiguous(query_a),
        contiguous(key_a),
        contiguous(value_a),
        contiguous(query_b),
        contiguous(key_b),
        contiguous(value_b),
    )


def _pair_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    *streams, cu_a, cu_b, _, max_a, max_b, scale, dropout = inputs
    ctx.numbers = (max_a, max_b, scale, dropout)
    ctx.mark_non_differentiable(output[2])
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*streams, *output, cu_a, cu_b)


def _pair_gradient(
    ctx: Any, grad_a: Tensor | None, grad_b: Tensor | None, _: None
) -> tuple[Tensor | None, ...]:
    if grad_a is None and grad_b is None:
        return (None,) * 13
    grads = _both(ctx, grad_a, grad_b)
    gradients = _pair_backward(*grads, *ctx.saved_tensors, *ctx.numbers)
    return *gradients, *(None,) * 7


_pair.register_autograd(_pair_gradient, setup_context=_pair_context)


def _check_pair(
    query_a: Tensor,
    key_a: Tensor,
    value_a: Tensor,
    query_b: Tensor,
    key_b: Tensor,
    value_b: Tensor,
    cu_a: Tensor,
    cu_b: Tensor,
    seed: Tensor | None,
    scale: float,
    dropout: float,
) -> None:
    check_streams(query_a, key_b, value_b, cu_a, cu_b)
    check_streams(query_b, key_a, value_a, cu_b, cu_a)
    check_numbers(scale, dropout, seed)
    for name, query, key in (("a", query_a, key_a), ("b", query_b, key_b)):
        if query.shape[0] != key.shape[0]:
            raise ValueError(f"stream {name} has {query.shape[0]} queries and {key.shape[0]} keys")
    if query_a.dtype != query_b.dtype or query_a.shape[1:] != query_b.shape[1:]:
        raise ValueError("both streams must have the same dtype, heads and head_dim")
