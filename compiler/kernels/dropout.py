"""Attention dropout as a pure function of where an element stands.

Whether a probability is kept depends on the seed, the head, the packed row of the query and the
column of the key inside its sequence, and on nothing else: not on tile sizes, not on the order of
the work. So the backward pass, which walks the matrix in another order, meets the same mask
without storing it, and this module can draw it again element by element.

Each row of each head draws two 32-bit words from Philox; a multiply-xorshift hash keyed by those
words turns the column into 32 uniform bits. Philox for every element would cost more than the two
matrix products of the tile, a row costs it once.

Source: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3 (Philox 4x32, 10 rounds);
the two multipliers and shifts of the hash are those of Wellons' low-bias 32-bit integer hash.
"""

import torch
from torch import Tensor

WORD = 0xFFFFFFFF
SIGN = 0x80000000
PHILOX_ROUNDS = 10
PHILOX_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
PHILOX_WEYL = (0x9E3779B9, 0xBB67AE85)
COLUMN_STEP = 0x9E3779B9
HASH_MULTIPLIERS = (0x7FEB352D, 0x846CA68B)


def threshold(probability: float) -> int:
    """The smallest signed 32-bit word that is kept.

    Args:
        probability: chance that an element is dropped, in `[0, 1)`.

    Returns:
        An integer in `[-2**31, 2**31 - 1]`; words below it are dropped.
    """
    return min(round(probability * 2**32), 2**32 - 1) - 2**31


def keep_mask(
    seed: int | Tensor, rows: Tensor, heads: int, columns: int, probability: float
) -> Tensor:
    """Draw the dropout mask of a block of rows.

    Args:
        seed: any 64-bit integer, or a tensor that holds one.
        rows: packed row numbers, integers, `[rows]`.
        heads: number of heads.
        columns: number of key columns, counted from the start of the key sequence.
        probability: chance that an element is dropped, in `[0, 1)`.

    Returns:
        Booleans `[heads, rows, columns]`, True where the element is kept.
    """
    seed = torch.as_tensor(seed, dtype=torch.int64, device=rows.device).reshape(())
    head = torch.arange(heads, device=rows.device, dtype=torch.int64)[:, None]
    first, second = _philox_words(seed, rows.to(torch.int64)[None, :], head)
    column = torch.arange(columns, device=rows.device, dtype=torch.int64)
    bits = ((column * COLUMN_STEP) & WORD) ^ first[:, :, None]
    bits = _multiply(bits ^ (bits >> 16), HASH_MULTIPLIERS[0])
    bits = (bits + second[:, :, None]) & WORD
    bits = _multiply(bits ^ (bits >> 15), HASH_MULTIPLIERS[1])
    bits = bits ^ (bits >> 16)
    return ((bits ^ SIGN) - SIGN) >= threshold(probability)


def _philox_words(seed: Tensor, row: Tensor, head: Tensor) -> tuple[Tensor, Tensor]:
    """The first two output words of Philox 4x32 for the counter (row, head, 0, 0)."""
    shape = (head.shape[0], row.shape[1])
    row, head = (row & WORD).expand(shape), head.expand(shape)
    zero = torch.zeros_like(row)
    counter = (row, head, zero, zero)
    key_low, key_high = seed & WORD, (seed >> 32) & WORD
    for _ in range(PHILOX_ROUNDS):
        even = counter[0] * PHILOX_MULTIPLIERS[0]
        odd = counter[2] * PHILOX_MULTIPLIERS[1]
        counter = (
            ((odd >> 32) & WORD) ^ counter[1] ^ key_low,
            odd & WORD,
            ((even >> 32) & WORD) ^ counter[3] ^ key_high,
            even & WORD,
        )
        key_low = (key_low + PHILOX_WEYL[0]) & WORD
        key_high = (key_high + PHILOX_WEYL[1]) & WORD
    return counter[0], counter[1]


def _multiply(word: Tensor, factor: int) -> Tensor:
    return (word * factor) & WORD
