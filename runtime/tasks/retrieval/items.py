"""What is learned from: an image with its caption and with others that are not true of it."""

from dataclasses import dataclass

import numpy as np

from renaissance.compiler.expected import Expected, Shape
from renaissance.runtime.data.corpus import Split
from renaissance.runtime.data.randomness import generator
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.data.wanted import Context, Group, Wanted
from renaissance.runtime.tasks.retrieval.schema import Retrieval

ATTEMPTS = 8
"""Draws from all captions before those that are not true of an image are listed."""
NONE = -1
"""Stands where there is no other caption any more: the item has fewer candidates."""


def expected(block: Retrieval, shape: Shape) -> Expected:
    """Return what a pass is asked for: in an evaluation pairs, in training some of each image."""
    if shape.measured:
        return Expected(pairs=shape.rows, items=shape.rows, candidates=1)
    candidates = 1 + block.negatives
    return Expected(
        pairs=candidates * shape.rows,
        texts=block.negatives * shape.rows,
        items=shape.rows,
        candidates=candidates,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherCaptions:
    """Draws captions for images.

    Attributes:
        block: the task.
        context: what it learns from.
    """

    block: Retrieval
    context: Context

    def draw(self, rows: np.ndarray, *, purpose: str, step: int) -> np.ndarray:
        """Draw other captions for the images of a global batch: `[rows, negatives]` int64.

        Those of all the split, none twice, and none that is known to be true of the image.
        """
        split = self.context.split
        draw = generator(self.context.seed, f"caption {purpose}", step)
        shape = (len(rows), self.block.negatives)
        drawn: np.ndarray = split.rows[draw.integers(len(split.rows), size=shape)]
        for _ in range(ATTEMPTS):
            wrong = _wrong(split, rows, drawn)
            if not wrong.any():
                return drawn
            other = split.rows[draw.integers(len(split.rows), size=shape)]
            drawn = np.where(wrong, other, drawn)
        for row in np.flatnonzero(_wrong(split, rows, drawn).any(axis=1)).tolist():
            free = draw.permutation(split.rows[~_true(split, rows[row], split.rows)])
            drawn[row] = NONE
            drawn[row, : len(free)] = free[: shape[1]]
        return drawn

    def texts(self, rows: np.ndarray, part: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Return the captions that are encoded beside those of the rows, each once."""
        others: np.ndarray = np.unique(drawn[part])
        found: np.ndarray = others[others != NONE]
        return found

    def items(self, rows: np.ndarray, text: Padded, part: np.ndarray, drawn: np.ndarray) -> Wanted:
        """Pair each image with its own caption and, behind it, with the others."""
        mine = drawn[part]
        others = self.texts(rows, part, drawn)
        place = len(rows) + np.searchsorted(others, mine)
        candidates = np.column_stack([np.arange(len(rows)), place])  # [rows, 1 + negatives]
        there = np.column_stack([np.ones(len(rows), bool), mine != NONE])
        image = self.context.split.corpus.image_of_row[rows]
        return Wanted(
            text=candidates[there],
            image=np.broadcast_to(image[:, None], there.shape)[there],
            target=np.zeros(len(rows), np.int64),
            group=Group.of(there.sum(axis=1)),
            row=rows,
        )


def prepare(block: Retrieval, context: Context) -> OtherCaptions:
    """Return what makes the items."""
    return OtherCaptions(block=block, context=context)


def _wrong(split: Split, rows: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return `[n, k]` bool: which captions `[n, k]` are true of the image of rows, or repeated."""
    own = np.repeat(split.corpus.image_of_row[rows], drawn.shape[1])
    true = split.corpus.truths.hold(drawn.reshape(-1), own[:, None])[:, 0].reshape(drawn.shape)
    order = np.argsort(drawn, axis=1, kind="stable")
    ordered = np.take_along_axis(drawn, order, axis=1)
    again = np.zeros(drawn.shape, bool)
    np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    found: np.ndarray = true | again
    return found


def _true(split: Split, row: int, captions: np.ndarray) -> np.ndarray:
    """Return `[captions]` bool: which of them are true of the image of a row."""
    own = np.full((len(captions), 1), split.corpus.image_of_row[row])
    found: np.ndarray = split.corpus.truths.hold(captions, own)[:, 0]
    return found
