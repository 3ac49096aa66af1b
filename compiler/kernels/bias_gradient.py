# mypy: disable-error-code="no-untyped-def, untyped-decorator"
# ruff: noqa: N803 (compile-time arguments of a kernel are constants)
"""Gradient of the additive bias: dS summed over the sequences that share it.

Legend: M rows of queries, N rows of keys. One program owns an M × N tile of one head of one group
and walks through its chunk of the sequences, so nothing is added atomically and no matrix of all
sequences is written; chunks are summed afterwards.
"""

import triton
import triton.language as tl

from renaissance.compiler.kernels.tiles import (
    STRIDE_UNIT,
    bounds,
    kept,
    load_tile,
    load_words,
    row_products,
)

LOG2_E = tl.constexpr(1.4426950408889634)


@triton.jit(
    do_not_specialize=[
        "query_tokens",
        "key_tokens",
        "longest_query",
        "longest_key",
        "sequences",
        "heads",
        "groups",
        "chunk",
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
def bias_gradient_kernel(
    query,
    key,
    value,
    grad_output,
    log_sum,
    delta,
    bias,
    partial,
    cu_query,
    cu_key,
    query_tokens,
    key_tokens,
    longest_query,
    longest_key,
    sequences,
    heads,
    groups,
    chunk,
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
    threshold,
    keep_scale,
    HEAD_DIM: tl.constexpr,
    BLOCK_D: tl.constexpr,
    CHUNK: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    DROPOUT: tl.constexpr,
):
    """Compute one tile of the bias gradient over one chunk of sequences.

    Args:
        partial: float32 `[chunks, groups, heads, longest_query, longest_key]`, contiguous.
        chunk: sequences of a group that one program walks through.

    The other arguments are those of the query gradient.
    """
    query_stride *= STRIDE_UNIT
    query_head_stride *= STRIDE_UNIT
    key_stride *= STRIDE_UNIT
    key_head_stride *= STRIDE_UNIT
    value_stride *= STRIDE_UNIT
    value_head_stride *= STRIDE_UNIT
    grad_stride *= STRIDE_UNIT
    grad_head_stride *= STRIDE_UNIT
    tiles_n = tl.cdiv(longest_key, BLOCK_N)
    tiles_m = tl.cdiv(longest_query, BLOCK_M)
    program = tl.program_id(0)
    tile_n = program % tiles_n
    program = program // tiles_n
    tile_m = program % tiles_m
    program = program // tiles_m
    head = program % heads
    program = program // heads
    group = program % groups
    part = program // groups

    first_row = tile_m * BLOCK_M
    first_column = tile_n * BLOCK_N
    rows = tl.arange(0, BLOCK_M)
    columns = first_column + tl.arange(0, BLOCK_N)
    wide_head = head.to(tl.int64)
    inside = (first_row + rows < longest_query)[:, None] & (columns < longest_key)[None, :]
    bias_base = bias + group.to(tl.int64) * bias_group_stride + wide_head * bias_head_stride
    bias_rows = bias_base + (first_row + rows).to(tl.int64) * bias_stride
    added = tl.load(bias_rows[:, None] + columns[None, :], mask=inside, other=0.0)
    added = added.to(tl.float32) * LOG2_E

    gradient = tl.zeros([BLOCK_M, BLOCK_N], tl.float32)
    first_sequence = group + part * chunk * groups
    last_sequence = tl.minimum(first_sequence + chunk * groups, sequences)
    for sequence in range(first_sequence, last_sequence, groups):
        query_start, query_length = bounds(cu_query, sequence, query_tokens)
        key_start, key_length = bounds(cu_key, sequence, key_tokens)
        row_count = query_length - first_row
        column_count = key_length - first_column
        wide_row = (query_start + first_row).to(tl.int64)
        wide_column = (key_start + first_column).to(tl.int64)
        query_base = query + wide_row * query_stride + wide_head * query_head_stride
        query_tile = load_tile(
            query_base, query_stride, row_count, BLOCK_M, HEAD_DIM, BLOCK_D, True
        )
        key_base = key + wide_column * key_stride + wide_head * key_head_stride
        key_tile = load_tile(key_base, key_stride, column_count, BLOCK_N, HEAD_DIM, BLOCK_D, True)
        grad_base = grad_output + wide_row * grad_stride + wide_head * grad_head_stride
        grad_tile = load_tile(grad_base, grad_stride, row_count, BLOCK_M, HEAD_DIM, BLOCK_D, True)
        value_base = value + wide_column * value_stride + wide_head * value_head_stride
        value_tile = load_tile(
            value_base, value_stride, column_count, BLOCK_N, HEAD_DIM, BLOCK_D, True
        )
        offset = wide_head * query_tokens + query_start + first_row
        log_rows = tl.load(log_sum + offset + rows, mask=rows < row_count, other=float("inf"))
        delta_rows = tl.load(delta + offset + rows, mask=rows < row_count, other=0.0)
        scores = scale * row_products(
            query_tile, query_base, query_stride, row_count,
            key_tile, key_base, key_stride, column_count,
            HEAD_DIM, BLOCK_D, CHUNK,
        )  # fmt: skip
        scores += added
        weights = tl.exp2(scores - log_rows[:, None])
        inner = row_products(
            grad_tile, grad_base, grad_stride, row_count,
            value_tile, value_base, value_stride, column_count,
            HEAD_DIM, BLOCK_D, CHUNK,
        )  # fmt: skip
        if DROPOUT:
            plane = heads.to(tl.int64) * query_tokens
            word_first, word_second = load_words(log_sum + offset, plane, rows, row_count, True)
            keep = kept(word_first[:, None], word_second[:, None], columns[None, :], threshold)
            inner = tl.where(keep, inner * keep_scale, 0.0)
        present = (columns < key_length)[None, :]
        gradient += tl.where(present, weights * (inner - delta_rows[:, None]), 0.0)

    matrix = (part.to(tl.int64) * groups + group) * heads + head
    target = partial + (matrix * longest_query + first_row + rows) * longest_key
    tl.store(target[:, None] + columns[None, :], gradient, mask=inside)
