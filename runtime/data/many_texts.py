"""Texts of columns of which there may be millions: never are all of them Python objects."""

from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import xxhash

TextColumn: TypeAlias = pa.Array | pa.ChunkedArray
PIECE = 2**16
"""Texts that are Python's at a time."""


def pieces(column: TextColumn) -> Iterator[pa.Array]:
    """Cut a column into short pieces; nothing is copied."""
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        for start in range(0, len(chunk), PIECE):
            yield chunk.slice(start, PIECE)


def in_order(texts: TextColumn) -> Iterator[str]:
    """Go through texts."""
    return (text for piece in pieces(texts) for text in piece.to_pylist())


def pieces_at(column: TextColumn, rows: np.ndarray) -> Iterator[pa.Array]:
    """Yield some rows of a column in short pieces; `rows` is `[n]` integers, ascending."""
    start = 0
    for piece in pieces(column):
        first, last = np.searchsorted(rows, [start, start + len(piece)])
        yield piece.take(pa.array(rows[first:last] - start))
        start += len(piece)


def taken(column: TextColumn, rows: np.ndarray) -> pa.ChunkedArray:
    """Return some rows of a column; `rows` is `[n]` int64, ascending.

    Arrow's own `take` first puts all chunks into one.
    """
    return pa.chunked_array([*pieces_at(column, rows)], column.type)


def numbered(texts: Iterable[pa.Array]) -> tuple[np.ndarray, np.ndarray]:
    """Number texts in the order in which they first appear.

    Texts are told apart by 128 bits of a hash, so that memory grows by 16 bytes for each of them,
    and by some 20 while they are sorted, however long they are.

    Args:
        texts: pieces of a column of strings, none of them null.

    Returns:
        `[n]` int32, the number of each; `[n]` bool, which of them appear for the first time.
    """
    digests = bytearray()
    for piece in texts:
        digests += b"".join(map(xxhash.xxh3_128_digest, piece.cast(pa.large_binary()).to_pylist()))
    order, new = _sorted(np.frombuffer(digests, np.uint64).reshape(-1, 2))
    digests.clear()
    leaders = order[new]  # of each text the row where it stands first
    first = np.zeros(len(order), bool)
    first[leaders] = True
    of_group = (np.cumsum(first, dtype=np.int32) - np.int32(1))[leaders]
    group = np.cumsum(new, dtype=np.int32) - np.int32(1)
    number = np.empty(len(order), np.int32)
    number[order] = of_group[group]
    return number, first


def _sorted(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort keys of two numbers, `[n, 2]` uint64, equal ones in their order.

    Returns:
        `[n]` int64, the places of the keys; `[n]` bool, which of them differ from the one before.
    """
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    new = np.ones(len(keys), bool)
    for start in range(1, len(keys), PIECE):  # in pieces, each of which is a copy
        these, before = order[start : start + PIECE], order[start - 1 : start - 1 + PIECE]
        new[start : start + PIECE] = (keys[these] != keys[before[: len(these)]]).any(axis=1)
    return order, new


class Texts(Collection[str]):
    """Rows of text columns, one column behind the other."""

    def __init__(self, rows: np.ndarray, *columns: pa.ChunkedArray) -> None:
        """Copy nothing; `rows` is `[n]` integers, ascending."""
        self._rows, self._columns = rows, columns

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self._rows) * len(self._columns)

    def __iter__(self) -> Iterator[str]:
        """Go through them in order."""
        for piece in self.pieces():
            yield from piece.to_pylist()

    def __contains__(self, text: object) -> bool:
        """Return whether a text is among them."""
        return any(text == other for other in self)

    def pieces(self) -> Iterator[pa.Array]:
        """Yield them in short pieces."""
        for column in self._columns:
            yield from pieces_at(column, self._rows)
