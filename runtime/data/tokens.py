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

    Attributes:
        ids: `[tokens of all texts]` int32.
        words: `[tokens of all texts]` int16, as in `Padded`.
        offsets: `[texts + 1]` int64, where each text starts and the last one ends.
    """

    ids: np.ndarray
    words: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """`[texts]` int64: tokens of each text, special tokens included."""
        return np.diff(self.offsets)

    def of(self, row: int) -> np.ndarray:
        """Return the tokens of a text, `[tokens]` int32, special ones included."""
        found: np.ndarray = self.ids[self.offsets[row] : self.offsets[row + 1]]
        return found

    def lengths_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the tokens of texts `rows` `[rows]` int64, special tokens included."""
        lengths: np.ndarray = self.offsets[rows + 1] - self.offsets[rows]
        return lengths

    def filled(self, tokens: int, pad_id: int) -> "Tokens":
        """Return the same texts, each filled up to so many tokens, which belong to it then."""
        present = np.arange(tokens) < self.lengths[:, None]  # [texts, tokens]
        ids, words = np.full_like(present, pad_id, np.int32), np.full_like(present, -1, np.int16)
        ids[present], words[present] = self.ids, self.words
        offsets = np.arange(len(self) + 1) * tokens
        return Tokens(ids=ids.reshape(-1), words=words.reshape(-1), offsets=offsets)

    def padded(self, rows: np.ndarray, pad_id: int) -> Padded:
        """Return texts `rows` `[rows]` int64 as a rectangle as wide as the longest of them."""
        starts, lengths = self.offsets[rows], self.lengths_of(rows)
        columns = np.arange(lengths.max(initial=0))
        present = columns < lengths[:, None]
        places = np.where(present, starts[:, None] + columns, 0)
        return Padded(
            ids=np.where(present, self.ids[places], pad_id).astype(np.int64),
            words=np.where(present, self.words[places], -1).astype(np.int64),
            present=present,
        )
