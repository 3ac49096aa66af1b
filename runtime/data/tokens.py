"""Tokenised texts as ragged arrays, and rows of them padded to a rectangle."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Padded:
    """Texts padded on the right.

    Attributes:
        ids: `[rows, tokens]` int64.
        words: `[rows, tokens]` int64, number of the word that a token belongs to, counted from 0
            in each text; -1 for special tokens and padding.
        present: `[rows, tokens]` bool, False for padding.
    """

    ids: np.ndarray
    words: np.ndarray
    present: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """`[rows]` int64: tokens of each text, special tokens included."""
        lengths: np.ndarray = self.present.sum(1)
        return lengths


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens of many texts, one after the other.

    There may be millions of texts: numbers are as short as what they count allows.

    Attributes:
        ids: `[tokens of all texts]` uint16 or int32.
        words: `[tokens of all texts]` int8 or int16, as in `Padded`.
        offsets: `[texts + 1]` int32 or int64, where each text starts and the last one ends.
    """

    ids: np.ndarray
    words: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """`[texts]`: tokens of each text, special tokens included, of the type of `offsets`."""
        return np.diff(self.offsets)

    def of(self, row: int) -> np.ndarray:
        """Return the tokens of a text, `[tokens]` int32, special ones included."""
        return self.ids[self.offsets[row] : self.offsets[row + 1]].astype(np.int32)

    def lengths_of(self, rows: np.ndarray) -> np.ndarray:
        """Return `[rows]` int64: tokens of texts `rows`, special tokens included."""
        lengths: np.ndarray = self.offsets[rows + 1] - self.offsets[rows]
        return lengths.astype(np.int64)

    def filled(self, tokens: int, pad_id: int) -> "Tokens":
        """Return the same texts, each filled up to so many tokens, which belong to it then."""
        present = np.arange(tokens) < self.lengths[:, None]  # [texts, tokens]
        ids = np.full_like(present, pad_id, self.ids.dtype)
        words = np.full_like(present, -1, self.words.dtype)
        ids[present], words[present] = self.ids, self.words
        offsets = offsets_of(np.full(len(self), tokens))
        return Tokens(ids=ids.reshape(-1), words=words.reshape(-1), offsets=offsets)

    def padded(self, rows: np.ndarray, pad_id: int) -> Padded:
        """Return texts `rows` `[rows]` as a rectangle as wide as the longest of them."""
        starts, lengths = self.offsets[rows].astype(np.int64), self.lengths_of(rows)
        columns = np.arange(lengths.max(initial=0))
        present = columns < lengths[:, None]
        places = np.where(present, starts[:, None] + columns, 0)
        return Padded(
            ids=np.where(present, self.ids[places].astype(np.int64), pad_id),
            words=np.where(present, self.words[places].astype(np.int64), -1),
            present=present,
        )


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Return where texts of some lengths `[texts]` start, and the last one ends."""
    total = int(lengths.sum(dtype=np.int64))
    offsets = np.zeros(len(lengths) + 1, np.int32 if total <= np.iinfo(np.int32).max else np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
