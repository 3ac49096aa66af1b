# mypy: disable-error-code="no-untyped-def, untyped-decorator"
# ruff: noqa: N803, N806 (compile-time arguments of a kernel are constants)
"""The query gradient, with delta.

Legend: M rows of queries, N rows of keys. P = exp2(scores - log_sum) is computed again from Q and
K; delta is the row sum of dO · O; dS = P · (dP - delta). No kernel adds to memory that another
program writes, so results do not depend on the order of the work.

Source: Dao 2023, FlashAttention-2, section 3.1, algorithm 2; the query gradient is its own kernel
here, because adding it up atomically would make it irreproducible.
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


@triton.jit
def query_gradient_tile(
    gradient,
    query_tile,
    grad_tile,
    log_rows,
    delta_rows,
    query_base,
    grad_base,
    key_base,
    value_base,
    bias_rows,
    column,
    key_count,
    row_count,
    word_first,
    word_second,
    query_stride,
    grad_stride,
    key_stride,
    value_stride,
    scale,
    threshold,
    keep_scale,
    BLOCK_N: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    BLOCK_D: tl.constexpr,
    CHUNK: tl.constexpr,
    BIAS: tl.constexpr,
    DROPOUT: tl.constexpr,
    MASKED: tl.constexpr,
):
    """Add what one tile of keys, starting at `column`, gives to the query gradient, unscaled."""
    BLOCK_M: tl.constexpr = query_tile.shape[0]
    left = key_count - column
    columns = column + tl.arange(0, BLOCK_N)
    step = tl.cast(column, tl.int64)
    key_tile = load_tile(
        key_base + step * key_stride, key_stride, left, BLOCK_N, HEAD_DIM, BLOCK_D, MASKED
    )
    value_tile = load_tile(
        value_base + step * value_stride, value_stride, left, BLOCK_N, HEAD_DIM, BLOCK_D, MASKED
    )
    scores = scale * row_products(
        query_tile, query_base, query_stride, row_count,
        key_tile, key_base + step * key_stride, key_stride, left,
        HEAD_DIM, BLOCK_D, CHUNK,
    )  # fmt: skip
    if BIAS:
        inside = (tl.arange(0, BLOCK_M) < row_count)[:, None]
        if MASKED:
            inside = inside & (columns < key_count)[None, :]
        added = tl.load(bias_rows[:, None] + columns[None, :], mask=inside, other=0.0)
        scores += added.to(tl.float32) * LOG2_E
    weights = tl.exp2(scores - log_rows[:, None])
    if MASKED:
        weights = tl.where((columns < key_count)[None, :], weights, 0.0)
    inner = row_products(
        grad_tile, grad_base, grad_stride, row_count,
        value_tile, value_base + step * value_stride, value_stride, left,
        HEAD_DIM, BLOCK_D, CHUNK,
    )  # fmt: skip
    if DROPOUT:
        keep = kept(word_first[:, None], word_second[:, None], columns[None, :], threshold)
        inner = tl.where(keep, inner * keep_scale, 0.0)
    score_gradient = weights * (inner - delta_rows[:, None])
    return tl.dot(score_gradient.to(key_tile.dtype), key_tile, gradient, input_precision="ieee")


@triton.jit(
    do_not_specialize=[
        "tiles",
        "tiles_second",
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
def query_gradient_kernel(
    query,
    key,
    value,
    output,
    grad_output,
    grad_query,
    query_second,
    key_second,
    value_second,
    output_second,
    grad_output_second,
    grad_query_second,
    tiles,
    tiles_second,
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
    TAIL_N: tl.constexpr,
    BIAS: tl.constexpr,
    DROPOUT: tl.constexpr,
    PAIR: tl.constexpr,
):
    """Compute delta and the query gradient of M rows.

    Args:
        output: the forward's result, contiguous.
        grad_output: gradient of the output, with its own strides.
        grad_query: gradient of the query, contiguous.
        log_sum: as the forward kernel left it, the words of each row behind it.
        delta: `[heads, rows]`, written here and read by the other kernels.
        gradient_scale: the scale of the scores without log2(e).

    The other arguments are those of the forward kernel.
    """
    query_stride *= STRIDE_UNIT
    query_head_stride *= STRIDE_UNIT
    key_stride *= STRIDE_UNIT
    key_head_stride *= STRIDE_UNIT
    value_stride *= STRIDE_UNIT
    value_head_stride *= STRIDE_UNIT
    grad_stride *= STRIDE_UNIT
    grad_head_stride *= STRIDE_UNIT
    second, sequence, head, tile = place(
        tl.program_id(0), tiles, tiles_second, sequences, heads, PAIR
    )
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
        cu_query, cu_key = tl.where(second, cu_key, cu_query), tl.where(second, cu_query, cu_key)
        query_tokens, key_tokens = (
            tl.where(second, key_tokens, query_tokens),
            tl.where(second, query_tokens, key_tokens),
        )
    query_start, query_length = bounds(cu_query, sequence, query_tokens)
    first_row = tile * BLOCK_M
    if first_row >= query_length:
        return
    key_start, key_length = bounds(cu_key, sequence, key_tokens)
    row_count = query_length - first_row
    packed_row = query_start + first_row
    wide_row = packed_row.to(tl.int64)
    wide_head = head.to(tl.int64)
    output_row = heads * HEAD_DIM

    query_base = query + wide_row * query_stride + wide_head * query_head_stride
    grad_base = grad_output + wide_row * grad_stride + wide_head * grad_head_stride
    query_tile = load_tile(query_base, query_stride, row_count, BLOCK_M, HEAD_DIM, BLOCK_D, True)
    grad_tile = load_tile(grad_base, grad_stride, row_count, BLOCK_M, HEAD_DIM, BLOCK_D, True)
    output_tile = load_tile(
        output + wide_row * output_row + head * HEAD_DIM,
        output_row, row_count, BLOCK_M, HEAD_DIM, BLOCK_D, True,
    )  # fmt: skip
    rows = tl.arange(0, BLOCK_M)
    offset = wide_head * row_total + row_base + packed_row
    delta_rows = tl.sum(grad_tile.to(tl.float32) * output_tile.to(tl.float32), 1)
    tl.store(delta + offset + rows, delta_rows, mask=rows < row_count)
    log_rows = tl.load(log_sum + offset + rows, mask=rows < row_count, other=float("inf"))

    key_base = key + key_start.to(tl.int64) * key_stride + wide_head * key_head_stride
    value_base = value + key_start.to(tl.int64) * value_stride + wide_head * value_head_stride
    bias_rows = bias
    if BIAS:
        bias_base = (
            bias + (sequence % groups).to(tl.int64) * bias_group_stride
            + wide_head * bias_head_stride
        )  # fmt: skip
        bias_rows = bias_base + (first_row + rows).to(tl.int64) * bias_stride
    word_first = rows
    word_second = rows
    if DROPOUT:
        plane = heads.to(tl.int64) * row_total
        word_first, word_second = load_words(log_sum + offset, plane, rows, row_count, True)

    gradient = tl.zeros([BLOCK_M, BLOCK_D], tl.float32)
    whole = key_length // BLOCK_N * BLOCK_N
    for column in range(0, whole, BLOCK_N):
        gradient = query_gradient_tile(
            gradient, query_tile, grad_tile, log_rows, delta_rows, query_base, grad_base, key_base,
            value_base, bias_rows, column, key_length, row_count, word_first, word_second,
            query_stride, grad_stride, key_stride, value_stride, scale, threshold, keep_scale,
            BLOCK_N, HEAD_DIM, BLOCK_D, CHUNK, BIAS, DROPOUT, False,
        )  # fmt: skip
    left = key_length - whole
    if left > TAIL_N:
        gradient = query_gradient_tile(
            gradient, query_tile, grad_tile, log_rows, delta_rows, query_base, grad_base, key_base,
            value_base, bias_rows, whole, key_length, row_count, word_first, word_second,
            query_stride, grad_stride, key_stride, value_stride, scale, threshold, keep_scale,
            BLOCK_N, HEAD_DIM, BLOCK_D, CHUNK, BIAS, DROPOUT, True,
        )  # fmt: skip
    elif left > 0:
        gradient = query_gradient_tile(
            gradient, query_tile, grad_tile, log_rows, delta_rows, query_base, grad_base, key_base,
            value_base, bias_rows, whole, key_length, row_count, word_first, word_second,
            query_stride, grad_stride, key_stride, value_stride, scale, threshold, keep_scale,
            TAIL_N, HEAD_DIM, BLOCK_D, CHUNK, BIAS, DROPOUT, True,
        )  # fmt: skip
    store_tile(
        grad_query + wide_row * output_row + head * HEAD_DIM,
        output_row, row_count, gradient * gradient_scale, BLOCK_M, HEAD_DIM, BLOCK_D,
    )  # fmt: skip
