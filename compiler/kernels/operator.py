"""The attention operators as torch sees them: eager, autograd, fake tensors, compile and export.

Each is an opaque custom operator, so that tracing keeps it whole on a machine without a GPU; its
backward is a second one. Nothing here imports Triton: a launch does, on the first real call.
"""

from typing import Any

import torch
from torch import Tensor

from renaissance.compiler.kernels.arguments import check_bias, check_numbers, check_streams
from renaissance.compiler.kernels.availability import AttentionUnavailable, supported


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
    number = _seed_tensor(seed, query.device) if dropout > 0.0 else None
    bias = bias[None] if bias is not None and bias.dim() == 3 else bias
    output: Tensor = _varlen(
        query,
        key,
        value,
        cu_query,
        cu_key,
        bias,
        number,
        max_query,
        max_key,
        query.shape[-1] ** -0.5 if scale is None else scale,
        dropout,
    )[0]
    return output


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
    number = _seed_tensor(seed, query_a.device) if dropout > 0.0 else None
    output_a, output_b, _ = _pair(
        query_a,
        key_a,
        value_a,
        query_b,
        key_b,
        value_b,
        cu_a,
        cu_b,
        number,
        max_a,
        max_b,
        query_a.shape[-1] ** -0.5 if scale is None else scale,
        dropout,
    )
    return output_a, output_b


def _seed_tensor(seed: int | Tensor, device: torch.device) -> Tensor:
    if isinstance(seed, Tensor):
        return seed
    return torch.full((1,), seed, dtype=torch.int64, device=device)


def _require(tensor: Tensor) -> None:
    reason = supported(tensor.device, tensor.dtype, tensor.shape[2])
    if reason is not None:
        raise AttentionUnavailable(reason)


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
    _require(query)
    from renaissance.compiler.kernels import launch

    call = launch.single(
        query, key, value, cu_query, cu_key, bias, seed, max_query, max_key, scale, dropout
    )
    outputs, log_sum = launch.forward(call)
    return outputs[0], log_sum


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
    log_sum = query.new_empty((query.shape[1], query.shape[0]), dtype=torch.float32)
    return _contiguous(query), log_sum


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
    seed: Tensor | None,
    max_query: int,
    max_key: int,
    scale: float,
    dropout: float,
    bias_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    _require(query)
    from renaissance.compiler.kernels import launch

    call = launch.single(
        query, key, value, cu_query, cu_key, bias, seed, max_query, max_key, scale, dropout
    )
    (gradients,), grad_bias = launch.backward(
        call, [output], log_sum, [grad_output], bias_gradient=bias_gradient
    )
    if grad_bias is None:
        grad_bias = query.new_empty((0,))
    return gradients.query, gradients.key, gradients.value, grad_bias


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
    seed: Tensor | None,
    max_query: int,
    max_key: int,
    scale: float,
    dropout: float,
    bias_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    wanted = bias is not None and bias_gradient
    grad_bias = _contiguous(bias) if bias is not None and wanted else query.new_empty((0,))
    return _contiguous(query), _contiguous(key), _contiguous(value), grad_bias


def _varlen_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    query, key, value, cu_query, cu_key, bias, seed, *ctx.numbers = inputs
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(query, key, value, *output, cu_query, cu_key, bias, seed)


def _varlen_gradient(ctx: Any, grad_output: Tensor | None, _: None) -> tuple[Tensor | None, ...]:
    if grad_output is None:
        return (None,) * 11
    wanted = ctx.needs_input_grad[5]
    *gradients, grad_bias = _varlen_backward(
        grad_output, *ctx.saved_tensors, *ctx.numbers, bias_gradient=wanted
    )
    return *gradients, None, None, grad_bias if wanted else None, *(None,) * 5


_varlen.register_autograd(_varlen_gradient, setup_context=_varlen_context)


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
    _require(query_a)
    from renaissance.compiler.kernels import launch

    call = launch.pair(
        query_a, key_a, value_a, query_b, key_b, value_b, cu_a, cu_b, seed, max_a, max_b, scale,
        dropout,
    )  # fmt: skip
    outputs, log_sum = launch.forward(call)
    return outputs[0], outputs[1], log_sum


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
    log_sum = query_a.new_empty((query_a.shape[1], rows), dtype=torch.float32)
    return _contiguous(query_a), _contiguous(query_b), log_sum


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
    seed: Tensor | None,
    max_a: int,
    max_b: int,
    scale: float,
    dropout: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    _require(query_a)
    from renaissance.compiler.kernels import launch

    call = launch.pair(
        query_a, key_a, value_a, query_b, key_b, value_b, cu_a, cu_b, seed, max_a, max_b, scale,
        dropout,
    )  # fmt: skip
    (first, second), _ = launch.backward(
        call, [output_a, output_b], log_sum, [grad_a, grad_b], bias_gradient=False
    )
    return first.query, second.key, second.value, second.query, first.key, first.value


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
    seed: Tensor | None,
    max_a: int,
    max_b: int,
    scale: float,
    dropout: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    return (
        _contiguous(query_a),
        _contiguous(key_a),
        _contiguous(value_a),
        _contiguous(query_b),
        _contiguous(key_b),
        _contiguous(value_b),
    )


def _pair_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    *streams, cu_a, cu_b, seed, max_a, max_b, scale, dropout = inputs
    ctx.numbers = (max_a, max_b, scale, dropout)
    ctx.mark_non_differentiable(output[2])
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*streams, *output, cu_a, cu_b, seed)


def _pair_gradient(
    ctx: Any, grad_a: Tensor | None, grad_b: Tensor | None, _: None
) -> tuple[Tensor | None, ...]:
    if grad_a is None and grad_b is None:
        return (None,) * 13
    output_a, output_b = ctx.saved_tensors[6:8]
    # One of the streams may lead nowhere, as in a last layer whose head reads only text.
    grad_a = torch.zeros_like(output_a) if grad_a is None else grad_a
    grad_b = torch.zeros_like(output_b) if grad_b is None else grad_b
    gradients = _pair_backward(grad_a, grad_b, *ctx.saved_tensors, *ctx.numbers)
    return *gradients, *(None,) * 7


_pair.register_autograd(_pair_gradient, setup_context=_pair_context)


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


def _contiguous(tensor: Tensor) -> Tensor:
    """A fake result: shape, dtype and device of `tensor`, contiguous."""
    return tensor.new_empty(tensor.shape)
