"""Hiding words for masked language modelling. Source: Devlin et al. 2019, BERT, section 3.1."""

from dataclasses import dataclass

import numpy as np

from renaissance.runtime.data.randomness import generator
from renaissance.runtime.data.tokens import Padded


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """Uniform random numbers between 0 and 1 for the rows of a batch.

    Attributes:
        choice: `[rows, tokens]`, words with the smallest numbers are chosen.
        kind: `[rows, tokens]`, what becomes of a chosen word.
        token: `[rows, tokens]`, which token replaces another.
        rounding: `[rows]`, whether a number of words is rounded up or down.
    """

    choice: np.ndarray
    kind: np.ndarray
    token: np.ndarray
    rounding: np.ndarray

    @classmethod
    def draw(cls, rows: int, tokens: int, seed: int, purpose: str, number: int) -> "Chances":
        """Draw the numbers of a whole batch, so that every part of it sees the same."""
        source = generator(seed, purpose, number)
        choice, kind, token = source.random((3, rows, tokens), dtype=np.float32)
        return cls(choice=choice, kind=kind, token=token, rounding=source.random(rows))

    def part(self, rows: np.ndarray) -> "Chances":
        """Return the numbers of some rows `[n]` int64."""
        return Chances(
            choice=self.choice[rows],
            kind=self.kind[rows],
            token=self.token[rows],
            rounding=self.rounding[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """Texts with hidden words.

    Attributes:
        ids: `[rows, tokens]` int64, what the model reads.
        positions: `[masked]` int64, places in the flattened `[rows * tokens]`, ascending.
        labels: `[masked]` int64, the tokens that stood there.
    """

    ids: np.ndarray
    positions: np.ndarray
    labels: np.ndarray


def mask_words(
    text: Padded,
    chances: Chances,
    *,
    probability: float,
    whole_word: bool,
    random: float,
    keep: float,
    mask_id: int,
    ordinary_ids: np.ndarray,
) -> Masked:
    """Choose words and hide them.

    Of `n` words `probability * n` are chosen, rounded up or down at random so that the mean is
    exact, and at least one. All tokens of a chosen word share its fate.

    Args:
        text: the texts.
        chances: random numbers for these rows, at least as wide as the texts.
        probability: share of the words that are chosen.
        whole_word: choose words; single tokens if False.
        random: share of the chosen words that become other tokens.
        keep: share of the chosen words that stay; the rest becomes the mask token.
        mask_id: the token that hides another.
        ordinary_ids: `[tokens]` int64, what a chosen token may be replaced with.
    """
    rows, width = text.ids.shape
    ordinary = text.words >= 0
    words = text.words if whole_word else np.where(ordinary, np.cumsum(ordinary, axis=1) - 1, -1)
    counts = words.max(axis=1, initial=-1) + 1
    wanted = np.floor(probability * counts + chances.rounding).astype(np.int64)
    wanted = np.minimum(np.maximum(wanted, 1), counts)

    most = int(counts.max(initial=0))
    keys = np.where(np.arange(most) < counts[:, None], chances.choice[:, :most], np.inf)
    rank = np.empty((rows, most), np.int64)
    np.put_along_axis(rank, np.argsort(keys, axis=1), np.arange(most)[None, :], axis=1)
    word_of_token = np.maximum(words, 0)
    chosen = ordinary & _of_word(rank < wanted[:, None], word_of_token, width)
    kind = _of_word(chances.kind[:, :most], word_of_token, width)

    place = (chances.token[:, :width].astype(np.float64) * len(ordinary_ids)).astype(np.int64)
    hidden = chosen & (kind < 1 - random - keep)
    replaced = chosen & ~hidden & (kind < 1 - keep)
    ids = np.where(hidden, mask_id, text.ids)
    ids = np.where(replaced, ordinary_ids[place], ids)
    positions = np.flatnonzero(chosen)
    return Masked(ids=ids, positions=positions, labels=text.ids.reshape(-1)[positions])


def _of_word(values: np.ndarray, word_of_token: np.ndarray, width: int) -> np.ndarray:
    """Return the value of each token's word, `[rows, width]`; False or 0 where there are none."""
    if values.shape[1] == 0:
        return np.zeros((len(values), width), values.dtype)
    return np.take_along_axis(values, word_of_token, axis=1)
