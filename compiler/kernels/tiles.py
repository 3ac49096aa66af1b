# mypy: disable-error-code="no-untyped-def, untyped-decorator"
# ruff: noqa: N803 (compile-time arguments of a kernel are constants)
"""Pieces that every attention kernel is built from: places, bounds, tiles, dropout bits.

Tiles are `[rows, BLOCK_D]`, where BLOCK_D is the head's width rounded up to a power of two and the
columns beyond the head are zero.
"""

import triton
import triton.language as tl

COLUMN_STEP = tl.constexpr(0x9E3779B9)
HASH_FIRST = tl.constexpr(0x7FEB352D)
HASH_SECOND = tl.constexpr(0x846CA68B)

# Kernels take the strides of tokens and heads in this many elements. A multiple of 8 elements is a
# multiple of 16 bytes, so the compiler knows that every row of a tile can be copied in whole words.
STRIDE_UNIT = tl.constexpr(8)


@triton.jit
def place(program, tiles, tiles_second, sequences, heads, PAIR: tl.constexpr):
    """Turn a program number into (second direction or not, sequence, head, tile).

    Tiles vary fastest, so programs that run together read the same keys.
    """
    second = False
    if PAIR:
        first_programs = tiles * heads * sequences
        second = program >= first_programs
        program = tl.where(second, program - first_programs, program)
        tiles = tl.where(second, tiles_second, tiles)
    tile = program % tiles
    program = program // tiles
    return second, program // heads, program % heads, tile


@triton.jit
def bounds(cumulative, sequence, tokens):
    """Start and length of a sequence, held inside the tensor whatever the memory says."""
    start = tl.minimum(tl.maximum(tl.load(cumulative + sequence), 0), tokens)
    end = tl.minimum(tl.maximum(tl.load(cumulative + sequence + 1), start), tokens)
    return start, end - start


@triton.jit
def sound(cumulative, sequence, sequences, tokens, longest):
    """Whether the lengths around a sequence can be believed.

    They run from 0 to the number of tokens, rise up to the end of the next sequence, and this
    sequence is no longer than announced. If every sequence is sound, every token is in one.
    """
    start = tl.load(cumulative + sequence)
    end = tl.load(cumulative + sequence + 1)
    following = tl.load(cumulative + tl.minimum(sequence + 2, sequences))
    covering = (tl.load(cumulative) == 0) & (tl.load(cumulative + sequences) == tokens)
    rising = (start >= 0) & (start <= end) & (end <= following)
    return covering & rising & (end - start <= longest)


@triton.jit
def load_tile(
    base,
    stride,
    count,
    ROWS: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    BLOCK_D: tl.constexpr,
    MASKED: tl.constexpr,
):
    """Load `[ROWS, BLOCK_D]`; rows from `count` on and columns beyond the head are zero."""
    rows = tl.arange(0, ROWS)
    columns = tl.arange(0, BLOCK_D)
    pointers = base + rows[:, None] * stride + columns[None, :]
    if MASKED:
        if HEAD_DIM == BLOCK_D:
            return tl.load(pointers, mask=(rows < count)[:, None], other=0.0)
        return tl.load(
            pointers, mask=(rows < count)[:, None] & (columns < HEAD_DIM)[None, :], other=0.0
        )
    if HEAD_DIM == BLOCK_D:
        return tl.load(pointers)
    return tl.load(pointers, mask=(columns < HEAD_DIM)[None, :], other=0.0)


@triton.jit
def store_tile(
    base,
    stride,
    count,
    tile,
    ROWS: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    BLOCK_D: tl.constexpr,
):
    """Store the first `count` rows of a tile, converted to the tensor's dtype."""
    rows = tl.arange(0, ROWS)
    columns = tl.arange(0, BLOCK_D)
    pointers = base + rows[:, None] * stride + columns[None, :]
    mask = (rows < count)[:, None] & (columns < HEAD_DIM)[None, :]
    tl.store(pointers, tile.to(base.dtype.element_ty), mask=mask)


@triton.jit
def row_products(
    left_tile,
    left_base,
    left_stride,
    left_count,
    right_tile,
    right_base,
    right_stride,
    right_count,
    HEAD_DIM: tl.constexpr,
    BLOCK_D: tl.constexpr,
    CHUNK: tl.constexpr,
):
    """Dot products of every row of `left` with every row of `right`, `[left rows, right rows]`.

    Exact float32 products run outside the tensor cores, where a thread holds whole rows of both
    factors, and tensor cores before Hopper's take both factors from registers. With a CHUNK
    smaller than BLOCK_D that many columns at a time are read from memory again, so that wide heads
    do not run out of registers.
    """
    if CHUNK >= BLOCK_D:
        return tl.dot(left_tile, tl.trans(right_tile), input_precision="ieee")
    left_rows = tl.arange(0, left_tile.shape[0])
    right_rows = tl.arange(0, right_tile.shape[0])
    columns = tl.arange(0, CHUNK)
    left_pointers = left_base + left_rows[:, None] * left_stride + columns[None, :]
    right_pointers = right_base + right_rows[:, None] * right_stride + columns[None, :]
    total = tl.zeros([left_tile.shape[0], right_tile.shape[0]], tl.float32)
    for first in tl.range(0, HEAD_DIM, CHUNK, num_stages=1):
        inside = (first + columns < HEAD_DIM)[None, :]
        left = tl.load(
            left_pointers + first, mask=(left_rows < left_count)[:, None] & inside, other=0.0
        )
        right = tl.load(
            right_pointers + first, mask=(right_rows < right_count)[:, None] & inside, other=0.0
        )
        total = tl.dot(left, tl.trans(right), total, input_precision="ieee")
    return total


@triton.jit
def row_words(seed, seed_low, seed_high, rows, head):
    """Two random 32-bit words for each packed row of a head, `[rows]` each."""
    zero = tl.zeros_like(rows)
    if seed is None:
        number = (seed_high.to(tl.int64) << 32) | (seed_low.to(tl.int64) & 0xFFFFFFFF)
    else:
        number = tl.load(seed)
    first, second, _, _ = tl.philox(number, rows, zero + head, zero, zero)
    return first, second


@triton.jit
def store_words(log_rows, plane, rows, row_count, first, second):
    """Keep the words of rows behind their log-sums, bit by bit in planes of `plane` numbers."""
    first = first.to(tl.float32, bitcast=True)
    second = second.to(tl.float32, bitcast=True)
    tl.store(log_rows + plane + rows, first, mask=rows < row_count)
    tl.store(log_rows + 2 * plane + rows, second, mask=rows < row_count)


@triton.jit
def load_words(log_rows, plane, rows, row_count, MASKED: tl.constexpr):
    """Read the words that the forward pass drew; any will do beyond the sequence."""
    if MASKED:
        first = tl.load(log_rows + plane + rows, mask=rows < row_count, other=0.0)
        second = tl.load(log_rows + 2 * plane + rows, mask=rows < row_count, other=0.0)
    else:
        first = tl.load(log_rows + plane + rows)
        second = tl.load(log_rows + 2 * plane + rows)
    return first.to(tl.uint32, bitcast=True), second.to(tl.uint32, bitcast=True)


@triton.jit
def kept(first, second, columns, threshold):
    """Which elements dropout keeps; the arguments broadcast to the tile."""
    bits = (columns.to(tl.uint32) * COLUMN_STEP) ^ first
    bits = (bits ^ (bits >> 16)) * HASH_FIRST
    bits = bits + second
    bits = (bits ^ (bits >> 15)) * HASH_SECOND
    bits = bits ^ (bits >> 16)
    return bits.to(tl.int32, bitcast=True) >= threshold
