# mypy: disable-error-code="no-untyped-def, untyped-decorator"
# ruff: noqa: N803 (compile-time arguments of a kernel are constants)
"""Backward of short sequences: one program computes every gradient of one head of one sequence.

Captions and windows fit in one tile, so P and dS are computed once and serve all three gradients;
delta is written only because the bias gradient reads it. The forward of short sequences is the
forward kernel with its loop left out (`WHOLE`).
"""

import triton
import triton.language as tl

from renaissance.compiler.kernels.tiles import (
    STRIDE_UNIT,
    bounds,
    kept,
    load_tile,
    load_words,
    place,
    row_products,
    store_tile,
)

LOG2_E = tl.constexpr(1.4426950408889634)


@triton.jit(
    do_not_specialize=[
        "query_tokens",
        "key_tokens",
        "sequences",
        "heads",
        "groups",
        "query_stride",
        "query_head_stride",
        "key_stride",
        "key_head_stride",
        "value_stride",
        "value_head_stride",
        "grad_stride",
        "grad_head_stride",
        "bias_group_stride",
        "bias_head_stride",
        "bias_stride",
        "threshold",
    ],
    do_not_specialize_on_alignment=["bias", "cu_query", "cu_key"],
)
def short_backward_kernel(
    query,
    key,
    value,
    output,
    grad_output,
    grad_query,
    grad_key,
    grad_value,
    query_second,
    key_second,
    value_second,
    output_second,
    grad_output_second,
    grad_query_second,
    grad_key_second,
    grad_value_second,
    log_sum,
    delta,
    bias,
    cu_query,
    cu_key,
    query_tokens,
    key_tokens,
    sequences,
    heads,
    groups,
    query_stride,
    query_head_stride,
    key_stride,
    key_head_stride,
    value_stride,
    value_head_stride,
    grad_stride,
    grad_head_stride,
    bias_group_stride,
    bias_head_stride,
    bias_stride,
    scale,
    gradient_scale,
    threshold,
    keep_scale,
    HEAD_DIM: tl.constexpr,
    BLOCK_D: tl.constexpr,
    CHUNK: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BIAS: tl.constexpr,
    DROPOUT: tl.constexpr,
    PAIR: tl.constexpr,
):
    """Compute the gradients of the queries, keys and values of one head of one sequence.

    The arguments are those of the query and key gradients; no sequence is longer than its tile.
    """
    query_stride *= STRIDE_UNIT
    query_head_stride *= STRIDE_UNIT
    key_stride *= STRIDE_UNIT
    key_head_stride *= STRIDE_UNIT
    value_stride *= STRIDE_UNIT
    value_head_stride *= STRIDE_UNIT
    grad_stride *= STRIDE_UNIT
    grad_head_stride *= STRIDE_UNIT
    second, sequence, head, _ = place(tl.program_id(0), 1, 1, sequences, heads, PAIR)
    row_base = 0
    row_total = query_tokens
    if PAIR:
        row_total = query_tokens + key_tokens
        row_base = tl.where(second, query_tokens, 0)
        query = tl.where(second, query_second, query)
        key = tl.where(second, key_second, key)
        value = tl.where(second, value_second, value)
        output = tl.where(second, output_second, output)
        grad_output = tl.where(second, grad_output_second, grad_output)
        grad_query = tl.where(second, grad_query_second, grad_query)
        grad_key = tl.where(second, grad_key_second, grad_key)
        grad_value = tl.where(second, grad_value_second, grad_value)
        cu_query, cu_key = tl.where(second, cu_key, cu_query), tl.where(second, cu_query, cu_key)
        query_tokens, key_tokens = (
            tl.where(second, key_tokens, query_tokens),
            tl.where(second, query_tokens, key_tokens),
        )
    query_start, query_length = bounds(cu_query, sequence, query_tokens)
    key_start, key_length = bounds(cu_key, sequence, key_tokens)
    wide_row = query_start.to(tl.int64)
    wide_column = key_start.to(tl.int64)
    wide_head = head.to(tl.int64)
    gradient_row = heads * HEAD_DIM
    row_target = wide_row * gradient_row + head * HEAD_DIM
    column_target = wide_column * gradient_row + head * HEAD_DIM

    query_base = query + wide_row * query_stride + wide_head * query_head_stride
    query_tile = load_tile(query_base, query_stride, query_length, BLOCK_M, HEAD_DIM, BLOCK_D, True)
    key_base = key + wide_column * key_stride + wide_head * key_head_stride
    key_tile = load_tile(key_base, key_stride, key_length, BLOCK_N, HEAD_DIM, BLOCK_D, True)
    value_base = value + wide_column * value_stride + wide_head * value_head_stride
    value_tile = load_tile(value_base, value_stride, key_length, BLOCK_N, HEAD_DIM, BLOCK_D, True)
    grad_base = grad_output + wide_row * grad_stride + wide_head * grad_head_stride
    grad_tile = load_tile(grad_base, grad_stride, query_length, BLOCK_M, HEAD_DIM, BLOCK_D, True)
    output_tile = load_tile(
        output + row_target, gradient_row, query_length, BLOCK_M, HEAD_DIM, BLOCK_D, True
    )
    rows = tl.arange(0, BLOCK_M)
    columns = tl.arange(0, BLOCK_N)
    offset = wide_head * row_total + row_base + query_start
    delta_rows = tl.sum(grad_tile.to(tl.float32) * output_tile.to(tl.float32), 1)
    if BIAS:
        tl.store(delta + offset + rows, delta_rows, mask=rows < query_length)
    log_rows = tl.load(log_sum + offset + rows, mask=rows < query_length, other=float("inf"))

    present = (columns < key_length)[None, :]
    scores = scale * row_products(
        query_tile, query_base, query_stride, query_length,
        key_tile, key_base, key_stride, key_length,
        HEAD_DIM, BLOCK_D, CHUNK,
    )  # fmt: skip
    if BIAS:
        bias_base = (
            bias + (sequence % groups).to(tl.int64) * bias_group_stride
            + wide_head * bias_head_stride
        )  # fmt: skip
        bias_rows = bias_base + rows.to(tl.int64) * bias_stride
        inside = (rows < query_length)[:, None] & present
        added = tl.load(bias_rows[:, None] + columns[None, :], mask=inside, other=0.0)
        scores += added.to(tl.float32) * LOG2_E
    weights = tl.where(present, tl.exp2(scores - log_rows[:, None]), 0.0)
    inner = row_products(
        grad_tile, grad_base, grad_stride, query_length,
        value_tile, value_base, value_stride, key_length,
        HEAD_DIM, BLOCK_D, CHUNK,
    )  # fmt: skip
    dropped = weights
    if DROPOUT:
        plane = heads.to(tl.int64) * row_total
        word_first, word_second = load_words(log_sum + offset, plane, rows, query_length, True)
        keep = kept(word_first[:, None], word_second[:, None], columns[None, :], threshold)
        dropped = tl.where(keep, weights * keep_scale, 0.0)
        inner = tl.where(keep, inner * keep_scale, 0.0)
    score_gradient = (weights * (inner - delta_rows[:, None])).to(key_tile.dtype)

    value_gradient = tl.dot(
        tl.trans(dropped.to(grad_tile.dtype)), grad_tile, input_precision="ieee"
    )
    store_tile(
        grad_value + column_target, gradient_row, key_length, value_gradient,
        BLOCK_N, HEAD_DIM, BLOCK_D,
    )  # fmt: skip
    key_gradient = tl.dot(tl.trans(score_gradient), query_tile, input_precision="ieee")
    store_tile(
        grad_key + column_target, gradient_row, key_length, key_gradient * gradient_scale,
        BLOCK_N, HEAD_DIM, BLOCK_D,
    )  # fmt: skip
    query_gradient = tl.dot(score_gradient, key_tile, input_precision="ieee")
    store_tile(
        grad_query + row_target, gradient_row, query_length, query_gradient * gradient_scale,
        BLOCK_M, HEAD_DIM, BLOCK_D,
    )  # fmt: skip
