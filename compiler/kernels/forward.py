# mypy: disable-error-code="no-untyped-def, untyped-decorator"
# ruff: noqa: N803, N806 (compile-time arguments of a kernel are constants)
"""Forward kernel: softmax(scale · Q Kᵀ + bias) V over packed sequences, one pass over the keys.

Legend: M rows of queries, N rows of keys. Scores are kept in base 2, so `scale` comes in
multiplied by log2(e). One program computes M query rows of one head of one sequence. Keys are read
in whole tiles without a mask, and the rest in one masked tile, which is small when little is left:
197 tokens are three tiles of 64 and one of 16, not four of 64.

Source: Dao 2023, FlashAttention-2, section 3.1 (online softmax, log-sum-exp kept for the backward).
"""

import triton
import triton.language as tl

from renaissance.compiler.kernels.tiles import (
    STRIDE_UNIT,
    bounds,
    kept,
    load_tile,
    place,
    row_products,
    row_words,
    sound,
    store_tile,
    store_words,
)

LOG2_E = tl.constexpr(1.4426950408889634)


@triton.jit
def forward_tile(
    accumulator,
    peak,
    total,
    query_tile,
    query_base,
    key_base,
    value_base,
    bias_rows,
    column,
    key_count,
    row_count,
    word_first,
    word_second,
    query_stride,
    key_stride,
    value_stride,
    scale,
    threshold,
    BLOCK_N: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    BLOCK_D: tl.constexpr,
    CHUNK: tl.constexpr,
    BIAS: tl.constexpr,
    DROPOUT: tl.constexpr,
    MASKED: tl.constexpr,
):
    """Add one tile of keys, starting at `column`, to the running softmax of the query rows."""
    BLOCK_M: tl.constexpr = query_tile.shape[0]
    left = key_count - column
    columns = column + tl.arange(0, BLOCK_N)
    step = tl.cast(column, tl.int64)
    key_tile = load_tile(
        key_base + step * key_stride, key_stride, left, BLOCK_N, HEAD_DIM, BLOCK_D, MASKED
    )
    scores = row_products(
        query_tile, query_base, query_stride, row_count,
        key_tile, key_base + step * key_stride, key_stride, left,
        HEAD_DIM, BLOCK_D, CHUNK,
    )  # fmt: skip
    if BIAS:
        inside = (tl.arange(0, BLOCK_M) < row_count)[:, None]
        if MASKED:
            inside = inside & (columns < key_count)[None, :]
        added = tl.load(bias_rows[:, None] + columns[None, :], mask=inside, other=0.0)
        scores = scores * scale + added.to(tl.float32) * LOG2_E
        if MASKED:
            scores = tl.where((columns < key_count)[None, :], scores, float("-inf"))
        new_peak = tl.maximum(peak, tl.max(scores, 1))
        # A row whose keys are all masked with -inf has no peak; any finite one gives it zeros.
        shift = tl.where(new_peak == float("-inf"), 0.0, new_peak)
        weights = tl.exp2(scores - shift[:, None])
    else:
        if MASKED:
            scores = tl.where((columns < key_count)[None, :], scores, float("-inf"))
        new_peak = tl.maximum(peak, tl.max(scores, 1) * scale)
        shift = tl.where(new_peak == float("-inf"), 0.0, new_peak)
        weights = tl.exp2(scores * scale - shift[:, None])
    shrink = tl.exp2(peak - shift)
    total = total * shrink + tl.sum(weights, 1)
    accumulator = accumulator * shrink[:, None]
    if DROPOUT:
        keep = kept(word_first[:, None], word_second[:, None], columns[None, :], threshold)
        weights = tl.where(keep, weights, 0.0)
    value_tile = load_tile(
        value_base + step * value_stride, value_stride, left, BLOCK_N, HEAD_DIM, BLOCK_D, MASKED
    )
    accumulator = tl.dot(
        weights.to(value_tile.dtype), value_tile, accumulator, input_precision="ieee"
    )
    return accumulator, new_peak, total


@triton.jit(
    do_not_specialize=[
        "tiles",
        "tiles_second",
        "seed_low",
        "seed_high",
        "query_tokens",
        "key_tokens",
        "longest_query",
        "longest_key",
        "sequences",
        "heads",
        "groups",
        "query_stride",
        "query_head_stride",
        "key_stride",
        "key_head_stride",
        "value_stride",
        "value_head_stride",
        "bias_group_stride",
        "bias_head_stride",
        "bias_stride",
        "threshold",
    ],
    do_not_specialize_on_alignment=["bias", "seed", "cu_query", "cu_key"],
)
def forward_kernel(
    query,
    key,
    value,
    output,
    query_second,
    key_second,
    value_second,
    output_second,
    tiles,
    tiles_second,
    log_sum,
    bias,
    seed,
    seed_low,
    seed_high,
    cu_query,
    cu_key,
    query_tokens,
    key_tokens,
    longest_query,
    longest_key,
    sequences,
    heads,
    groups,
    query_stride,
    query_head_stride,
    key_stride,
    key_head_stride,
    value_stride,
    value_head_stride,
    bias_group_stride,
    bias_head_stride,
    bias_stride,
    scale,
    threshold,
    keep_scale,
    HEAD_DIM: tl.constexpr,
    BLOCK_D: tl.constexpr,
    CHUNK: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    TAIL_N: tl.constexpr,
    WHOLE: tl.constexpr,
    BIAS: tl.constexpr,
    DROPOUT: tl.constexpr,
    PAIR: tl.constexpr,
):
    """Compute M rows of the output and their base-2 log-sum-exp.

    Args:
        query, key, value, output: first direction, `[tokens, heads, HEAD_DIM]`; the output is
            contiguous. With PAIR, the `_second` tensors are those of the other direction, whose
            queries are bounded by `cu_key` and whose keys by `cu_query`.
        log_sum: `[heads, rows]`, +inf where a row has no key; the second direction's rows follow
            the first's. With DROPOUT `[3, heads, rows]`: behind it the words of each row.
        bias: `[groups, heads, longest_query, longest_key]`, contiguous in the keys.
        seed: one int64; None where `seed_low` and `seed_high`, two halves of 32 bits, make it.
        cu_query, cu_key: cumulative lengths, `[sequences + 1]`.
        WHOLE: the longest key sequence fits in BLOCK_N, so there is one masked tile and no loop.
    """
    query_stride *= STRIDE_UNIT
    query_head_stride *= STRIDE_UNIT
    key_stride *= STRIDE_UNIT
    key_head_stride *= STRIDE_UNIT
    value_stride *= STRIDE_UNIT
    value_head_stride *= STRIDE_UNIT
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
        cu_query, cu_key = tl.where(second, cu_key, cu_query), tl.where(second, cu_query, cu_key)
        query_tokens, key_tokens = (
            tl.where(second, key_tokens, query_tokens),
            tl.where(second, query_tokens, key_tokens),
        )
        longest_query, longest_key = (
            tl.where(second, longest_key, longest_query),
            tl.where(second, longest_query, longest_key),
        )
    query_start, query_length = bounds(cu_query, sequence, query_tokens)
    first_row = tile * BLOCK_M
    if first_row >= query_length:
        return
    key_start, key_length = bounds(cu_key, sequence, key_tokens)
    believed = sound(cu_query, sequence, sequences, query_tokens, longest_query)
    believed &= sound(cu_key, sequence, sequences, key_tokens, longest_key)

    row_count = query_length - first_row
    packed_row = query_start + first_row
    query_base = (
        query + packed_row.to(tl.int64) * query_stride + head.to(tl.int64) * query_head_stride
    )
    query_tile = load_tile(query_base, query_stride, row_count, BLOCK_M, HEAD_DIM, BLOCK_D, True)
    key_base = key + key_start.to(tl.int64) * key_stride + head.to(tl.int64) * key_head_stride
    value_base = (
        value + key_start.to(tl.int64) * value_stride + head.to(tl.int64) * value_head_stride
    )
    rows = tl.arange(0, BLOCK_M)
    bias_rows = bias
    if BIAS:
        bias_base = (
            bias
            + (sequence % groups).to(tl.int64) * bias_group_stride
            + head.to(tl.int64) * bias_head_stride
        )
        bias_rows = bias_base + (first_row + rows).to(tl.int64) * bias_stride
    word_first = rows
    word_second = rows
    if DROPOUT:
        word_first, word_second = row_words(
            seed, seed_low, seed_high, row_base + packed_row + rows, head
        )

    accumulator = tl.zeros([BLOCK_M, BLOCK_D], tl.float32)
    peak = tl.full([BLOCK_M], float("-inf"), tl.float32)
    total = tl.zeros([BLOCK_M], tl.float32)
    whole = 0
    if not WHOLE:
        whole = key_length // BLOCK_N * BLOCK_N
        for column in range(0, whole, BLOCK_N):
            accumulator, peak, total = forward_tile(
                accumulator, peak, total, query_tile, query_base, key_base, value_base, bias_rows,
                column, key_length, row_count, word_first, word_second, query_stride, key_stride,
                value_stride, scale, threshold, BLOCK_N, HEAD_DIM, BLOCK_D, CHUNK, BIAS, DROPOUT,
                False,
            )  # fmt: skip
    left = key_length - whole
    if TAIL_N < BLOCK_N:
        if left > TAIL_N:
            accumulator, peak, total = forward_tile(
                accumulator, peak, total, query_tile, query_base, key_base, value_base, bias_rows,
                whole, key_length, row_count, word_first, word_second, query_stride, key_stride,
                value_stride, scale, threshold, BLOCK_N, HEAD_DIM, BLOCK_D, CHUNK, BIAS, DROPOUT,
                True,
            )  # fmt: skip
        elif left > 0:
            accumulator, peak, total = forward_tile(
                accumulator, peak, total, query_tile, query_base, key_base, value_base, bias_rows,
                whole, key_length, row_count, word_first, word_second, query_stride, key_stride,
                value_stride, scale, threshold, TAIL_N, HEAD_DIM, BLOCK_D, CHUNK, BIAS, DROPOUT,
                True,
            )  # fmt: skip
    elif left > 0:
        accumulator, peak, total = forward_tile(
            accumulator, peak, total, query_tile, query_base, key_base, value_base, bias_rows,
            whole, key_length, row_count, word_first, word_second, query_stride, key_stride,
            value_stride, scale, threshold, BLOCK_N, HEAD_DIM, BLOCK_D, CHUNK, BIAS, DROPOUT, True,
        )  # fmt: skip

    empty = total == 0.0
    total = tl.where(empty, 1.0, total)
    log_total = tl.where(empty, float("inf"), peak + tl.log2(total))
    if DROPOUT:
        total = total / keep_scale
    result = accumulator / total[:, None]
    result = tl.where(believed, result, float("nan"))
    output_row = heads * HEAD_DIM
    store_tile(
        output + packed_row.to(tl.int64) * output_row + head * HEAD_DIM,
        output_row,
        row_count,
        result,
        BLOCK_M,
        HEAD_DIM,
        BLOCK_D,
    )
    log_rows = log_sum + head.to(tl.int64) * row_total + row_base + packed_row
    tl.store(log_rows + rows, log_total, mask=rows < row_count)
    if DROPOUT:
        plane = heads.to(tl.int64) * row_total
        store_words(log_rows, plane, rows, row_count, word_first, word_second)
