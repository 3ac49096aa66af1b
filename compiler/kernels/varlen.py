"""Attention of packed sequences as torch sees it: eager, autograd, fake tensors, compile, export.

The operator is opaque, so that tracing keeps it whole on a machine without a GPU; its backward is
a second one. Where only autograd looks on, the launches are called directly. Nothing here imports
Triton: a launch does, on the first real call.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from renaissance.compiler.kernels.arguments import check_bias, check_numbers, check_streams
from renaissance.compiler.kernels.call import Call, single, statistics_shape
from renaissance.compiler.kernels.operands import (
    any_learns,
    as_drawn,
    contiguous,
    looked_into,
    require,
    seed_tensor,
)


def varlen_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_query: Tensor,
    cu_key: Tensor,
    max_query: int,
    max_key: int,
    *,
    scale: float | None = None,
    bias: Tensor | None = None,
    dropout: float = 0.0,
    seed: int | Tensor = 0,
) -> Tensor:
    """Attention over packed sequences of any lengths: self-attention, cross-attention, or a mix.

    Sequence `i` lets queries `cu_query[i]:cu_query[i + 1]` attend to keys
    `cu_key[i]:cu_key[i + 1]`. Every token belongs to exactly one sequence; a packed buffer that is
    filled up to a fixed size ends in one more sequence. Any strides will do where the last is 1;
    other layouts are copied.

    Args:
        query: `[query_tokens, heads, head_dim]`, bfloat16, float16 or float32; head_dim is a
            multiple of 8 from 16 to 128.
        key: `[key_tokens, heads, head_dim]`, dtype and device of `query`.
        value: `[key_tokens, heads, head_dim]`, dtype and device of `query`.
        cu_query: cumulative query lengths from 0, int32 `[sequences + 1]`.
        cu_key: cumulative key lengths from 0, int32 `[sequences + 1]`.
        max_query: length of the longest query sequence or more, in tokens.
        max_key: length of the longest key sequence or more, in tokens.
        scale: positive factor on the scores; `head_dim ** -0.5` if None.
        bias: added to the scaled scores, any floating dtype, differentiable;
            `[heads, max_query, max_key]` for all sequences, or
            `[groups, heads, max_query, max_key]` where sequence `i` takes `i % groups`.
        dropout: probability that an attention weight is dropped, in `[0, 1)`.
        seed: number, or a tensor holding one int64 number on the device of `query`, that the
            dropout mask follows from; the backward pass draws the same mask.

    Returns:
        `[query_tokens, heads, head_dim]`, contiguous, in the dtype of `query`; softmax and sums
        run in float32. A query without a key, or with every key at a bias of -inf, gets zeros. A
        sequence that lies outside its tensor or is longer than announced comes out as NaN.

    Raises:
        ValueError: if shapes, dtypes or ranges do not fit together.
        AttentionUnavailable: where `supported` gives a reason.

    Source: Vaswani et al. 2017, section 3.2.1; computed as in Dao 2023, FlashAttention-2.
    """
    bias = bias[None] if bias is not None and bias.dim() == 3 else bias
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    streams = (query, key, value, cu_query, cu_key, bias)
    numbers = (max_query, max_key, scale, dropout)
    if looked_into(query):
        drawn = seed_tensor(seed, query.device) if dropout > 0.0 else None
        output: Tensor = _varlen(*streams, drawn, *numbers)[0]
        return output
    drawn, number = as_drawn(seed, dropout)
    _check_varlen(*streams, drawn, *numbers)
    require(query)
    if torch.is_grad_enabled() and any_learns(query, key, value, bias):
        return _Varlen.apply(*streams, drawn, *numbers, number)  # type: ignore[no-any-return]
    return _forward(single(*streams, drawn, *numbers, number))[0]


class _Varlen(torch.autograd.Function):
    """The operator where nobody looks into it: the same launches, without torch's dispatch."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        output, log_sum = _forward(single(*inputs))
        query, key, value, cu_query, cu_key, bias, _, *ctx.numbers, _ = inputs
        ctx.save_for_backward(query, key, value, output, log_sum, cu_query, cu_key, bias)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        wanted = ctx.needs_input_grad[5]
        *gradients, grad_bias = _backward(
            grad_output, *ctx.saved_tensors, *ctx.numbers, bias_gradient=wanted
        )
        return *gradients, None, None, grad_bias, *(None,) * 6


def _forward(call: Call) -> tuple[Tensor, Tensor]:
    from renaissance.compiler.kernels import launch

    outputs, log_sum = launch.forward(call)
    return outputs[0], log_sum


def _backward(
    grad_output: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    output: Tensor,
    log_sum: Tensor,
    cu_query: Tensor,
    cu_key: Tensor,
    bias: Tensor | None,
    max_query: int,
    max_key: int,
    scale: float,
    dropout: float,
    *,
    bias_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    from renaissance.compiler.kernels import launch

    # The forward pass kept what it drew: no seed is asked for again.
    call = single(
        query, key, value, cu_query, cu_key, bias, None, max_query, max_key, scale, dropout
    )
    (gradients,), grad_bias = launch.backward(
        call, [output], log_sum, [grad_output], bias_gradient=bias_gradient
    )
    return gradients.query, gradients.key, gradients.value, grad_bias


@torch.library.custom_op("renaissance::varlen_attention", mutates_args=())
def _varlen(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_query: Tensor,
    cu_key: Tensor,
    bias: Tensor | None,
    seed: Tensor | None,
    max_query: int,
    max_key: int,
    scale: float,
    dropout: float,
) -> tuple[Tensor, Tensor]:
    _check_varlen(
        query, key, value, cu_query, cu_key, bias, seed, max_query, max_key, scale, dropout
    )
    require(query)
    return _forward(
        single(query, key, value, cu_query, cu_key, bias, seed, max_query, max_key, scale, dropout)
    )


@_varlen.register_fake
def _(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_query: Tensor,
    cu_key: Tensor,
    bias: Tensor | None,
    seed: Tensor | None,
    max_query: int,
    max_key: int,
    scale: float,
    dropout: float,
) -> tuple[Tensor, Tensor]:
    _check_varlen(
        query, key, value, cu_query, cu_key, bias, seed, max_query, max_key, scale, dropout
    )
    shape = statistics_shape(query.shape[1], query.shape[0], dropout)
    return contiguous(query), query.new_empty(shape, dtype=torch.float32)


@torch.library.custom_op("renaissance::varlen_attention_backward", mutates_args=())
def _varlen_backward(
    grad_output: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    output: Tensor,
    log_sum: Tensor,
    cu_query: Tensor,
    cu_key: Tensor,
    bias: Tensor | None,
    max_query: int,
    max_key: int,
    scale: float,
    dropout: float,
    bias_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    require(query)
    *gradients, grad_bias = _backward(
        grad_output, query, key, value, output, log_sum, cu_query, cu_key, bias,
        max_query, max_key, scale, dropout, bias_gradient=bias_gradient,
    )  # fmt: skip
    grad_bias = query.new_empty((0,)) if grad_bias is None else grad_bias
    return gradients[0], gradients[1], gradients[2], grad_bias


@_varlen_backward.register_fake
def _(
    grad_output: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    output: Tensor,
    log_sum: Tensor,
    cu_query: Tensor,
    cu_key: Tensor,
    bias: Tensor | None,
    max_query: int,
    max_key: int,
    scale: float,
    dropout: float,
    bias_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    wanted = bias is not None and bias_gradient
    grad_bias = contiguous(bias) if bias is not None and wanted else query.new_empty((0,))
    return contiguous(query), contiguous(key), contiguous(value), grad_bias


def _varlen_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    query, key, value, cu_query, cu_key, bias, _, *ctx.numbers = inputs
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(query, key, value, *output, cu_query, cu_key, bias)


def _varlen_gradient(ctx: Any, grad_output: Tensor | None, _: None) -> tuple[Tensor | None, ...]:
    if grad_output is None:
        return (None,) * 11
    wanted = ctx.needs_input_grad[5]
    *gradients, grad_bias = _varlen_backward(
        grad_output, *ctx.saved_tensors, *ctx.numbers, bias_gradient=wanted
    )
    return *gradients, None, None, grad_bias if wanted else None, *(None,) * 5


_varlen.register_autograd(_varlen_gradient, setup_context=_varlen_context)


def _check_varlen(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_query: Tensor,
    cu_key: Tensor,
    bias: Tensor | None,
    seed: Tensor | None,
    max_query: int,
    max_key: int,
    scale: float,
    dropout: float,
) -> None:
    check_streams(query, key, value, cu_query, cu_key)
    check_numbers(scale, dropout, seed)
    if bias is not None:
        check_bias(bias, query, max_query, max_key)
