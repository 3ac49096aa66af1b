# mypy: disable-error-code="no-untyped-def, untyped-decorator"
# ruff: noqa: N803, N806 (compile-time arguments of a kernel are constants)
"""The key and value gradients; the legend is that of the query gradient, whose delta is read.

Source: Dao 2023, FlashAttention-2, section 3.1, algorithm 2.
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
def key_gradient_tile(
    grad_key_tile,
    grad_value_tile,
    key_tile,
    value_tile,
    key_base,
    value_base,
    query_base,
    grad_base,
    log_base,
    delta_base,
    bias_columns,
    row,
    row_count,
    column_count,
    plane,
    first_column,
    key_stride,
    value_stride,
    query_stride,
    grad_stride,
    bias_stride,
    scale,
    threshold,
    keep_scale,
    BLOCK_M: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    BLOCK_D: tl.constexpr,
    CHUNK: tl.constexpr,
    BIAS: tl.constexpr,
    DROPOUT: tl.constexpr,
    MASKED: tl.constexpr,
):
    """Add what one tile of queries, starting at `row`, gives to the key and value gradients.

    Everything is transposed, `[N, M]`, so that the products need no transposed copy of P or dS.
    """
    BLOCK_N: tl.constexpr = key_tile.shape[0]
    left = row_count - row
    rows = tl.arange(0, BLOCK_M)
    step = tl.cast(row, tl.int64)
    query_tile = load_tile(
        query_base + step * query_stride, query_stride, left, BLOCK_M, HEAD_DIM, BLOCK_D, MASKED
    )
    grad_tile = load_tile(
        grad_base + step * grad_stride, grad_stride, left, BLOCK_M, HEAD_DIM, BLOCK_D, MASKED
    )
    if MASKED:
        # A log-sum of +inf makes the probabilities of rows beyond the sequence zero.
        log_rows = tl.load(log_base + row + rows, mask=rows < left, other=float("inf"))
        delta_rows = tl.load(delta_base + row + rows, mask=rows < left, other=0.0)
    else:
        log_rows = tl.load(log_base + row + rows)
        delta_rows = tl.load(delta_base + row + rows)
    scores = scale * row_products(
        key_tile, key_base, key_stride, column_count,
        query_tile, query_base + step * query_stride, query_stride, left,
        HEAD_DIM, BLOCK_D, CHUNK,
    )  # fmt: skip
    if BIAS:
        inside = (tl.arange(0, BLOCK_N) < column_count)[:, None]
        if MASKED:
            inside = inside & (rows < left)[None, :]
        row_offset = (step + rows) * bias_stride
        added = tl.load(bias_columns[:, None] + row_offset[None, :], mask=inside, other=0.0)
        scores += added.to(tl.float32) * LOG2_E
    weights = tl.exp2(scores - log_rows[None, :])
    inner = row_products(
        value_tile, value_base, value_stride, column_count,
        grad_tile, grad_base + step * grad_stride, grad_stride, left,
        HEAD_DIM, BLOCK_D, CHUNK,
    )  # fmt: skip
    if DROPOUT:
        word_first, word_second = load_words(log_base + row, plane, rows, left, MASKED)
        columns = first_column + tl.arange(0, BLOCK_N)
        keep = kept(word_first[None, :], word_second[None, :], columns[:, None], threshold)
        dropped = tl.where(keep, weights * keep_scale, 0.0)
        inner = tl.where(keep, inner * keep_scale, 0.0)
    else:
        dropped = weights
    grad_value_tile = tl.dot(
        dropped.to(grad_tile.dtype), grad_tile, grad_value_tile, input_precision="ieee"
    )
    score_gradient = weights * (inner - delta_rows[None, :])
    grad_key_tile = tl.dot(
        score_gradient.to(query_tile.dtype), query_tile, grad_key_tile, input_precision="ieee"
    )
    return grad_key_tile, grad_value_tile


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
def key_gradient_kernel(
    query,
    key,
    value,
    grad_output,
    grad_key,
    grad_value,
    query_second,
    key_second,
    value_second,
    grad_output_second,
    grad_key_second,
    grad_value_second,
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
    TAIL_M: tl.constexpr,
    BIAS: tl.constexpr,
    DROPOUT: tl.constexpr,
    PAIR: tl.constexpr,
):
    """Compute the key and value gradients of N rows; tiles count keys.

    The arguments are those of the query gradient; `grad_key` and `grad_value` are contiguous.
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
        grad_output = tl.where(second, grad_output_second, grad_output)
        grad_key = tl.where(second, grad_key_second, grad_key)
        grad_value = tl.where(second, grad_value_second, grad_value)
        cu_query, cu_key = tl.where(second, cu_key, cu_query), tl.where(second, cu_query, cu_key)
        query_tokens, key_tokens = (
            tl.where(second, key_tokens, query_tokens),
            tl.where(second, query_tokens, key_tokens),
        )
    key_start, key_length = bounds(cu_key, sequence, key_tokens)
    first_column = tile * BLOCK_N
    if first_column >= key_length:
        return
    query_start, query_length = bounds(cu_query, sequence, query_tokens)
    column_count = key_length - first_column
    wide_column = (key_start + first_column).to(tl.int64)
    wide_row = query_start.to(tl.int64)
    wide_head = head.to(tl.int64)
    gradient_row = heads * HEAD_DIM

    key_base = key + wide_column * key_stride + wide_head * key_head_stride
    value_base = value + wide_column * value_stride + wide_head * value_head_stride
    key_tile = load_tile(key_base, key_stride, column_count, BLOCK_N, HEAD_DIM, BLOCK_D, True)
    value_tile = load_tile(value_base, value_stride, column_count, BLOCK_N, HEAD_DIM, BLOCK_D, True)
    query_base = query + wide_row * query_stride + wide_head * query_head_stride
    grad_base = grad_output + wide_row * grad_stride + wide_head * grad_head_stride
    offset = wide_head * row_total + row_base + query_start
    log_base = log_sum + offset
    delta_base = delta + offset
    bias_columns = bias
    if BIAS:
        bias_base = (
            bias + (sequence % groups).to(tl.int64) * bias_group_stride
            + wide_head * bias_head_stride
        )  # fmt: skip
        bias_columns = bias_base + first_column + tl.arange(0, BLOCK_N)

    grad_key_tile = tl.zeros([BLOCK_N, BLOCK_D], tl.float32)
    grad_value_tile = tl.zeros([BLOCK_N, BLOCK_D], tl.float32)
    plane = heads.to(tl.int64) * row_total
    whole = query_length // BLOCK_M * BLOCK_M
    for row in range(0, whole, BLOCK_M):
        grad_key_tile, grad_value_tile = key_gradient_tile(
            grad_key_tile, grad_value_tile, key_tile, value_tile, key_base, value_base, query_base,
            grad_base, log_base, delta_base, bias_columns, row, query_length, column_count,
            plane, first_column, key_stride, value_stride, query_stride, grad_stride,
            bias_stride, scale, threshold, keep_scale, BLOCK_M, HEAD_DIM, BLOCK_D, CHUNK, BIAS,
            DROPOUT, False,
        )  # fmt: skip
    left = query_length - whole
    if left > TAIL_M:
        grad_key_tile, grad_value_tile = key_gradient_tile(
            grad_key_tile, grad_value_tile, key_tile, value_tile, key_base, value_base, query_base,
            grad_base, log_base, delta_base, bias_columns, whole, query_length, column_count,
            plane, first_column, key_stride, value_stride, query_stride, grad_stride,
            bias_stride, scale, threshold, keep_scale, BLOCK_M, HEAD_DIM, BLOCK_D, CHUNK, BIAS,
            DROPOUT, True,
        )  # fmt: skip
    elif left > 0:
        grad_key_tile, grad_value_tile = key_gradient_tile(
            grad_key_tile, grad_value_tile, key_tile, value_tile, key_base, value_base, query_base,
            grad_base, log_base, delta_base, bias_columns, whole, query_length, column_count,
            plane, first_column, key_stride, value_stride, query_stride, grad_stride,
            bias_stride, scale, threshold, keep_scale, TAIL_M, HEAD_DIM, BLOCK_D, CHUNK, BIAS,
            DROPOUT, True,
        )  # fmt: skip
    target = wide_column * gradient_row + head * HEAD_DIM
    store_tile(
        grad_key + target, gradient_row, column_count, grad_key_tile * gradient_scale,
        BLOCK_N, HEAD_DIM, BLOCK_D,
    )  # fmt: skip
    store_tile(
        grad_value + target, gradient_row, column_count, grad_value_tile,
        BLOCK_N, HEAD_DIM, BLOCK_D,
    )  # fmt: skip
