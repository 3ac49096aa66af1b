"""Which texts `order` reverses."""

from dataclasses import dataclass

import numpy as np

from renaissance.compiler.expected import Expected, Shape
from renaissance.runtime.data.randomness import generator
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.data.wanted import Context, Wanted
from renaissance_shapes.order.schema import Order


def expected(block: Order, shape: Shape) -> Expected:
    """Return what a pass is asked for, for the plan: a text of its own for each row."""
    return Expected(pairs=shape.rows, changed=True, items=shape.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversedWords:
    """Reverses some of the texts.

    Attributes:
        block: the objective.
        context: what it learns from.
    """

    block: Order
    context: Context

    def draw(self, rows: np.ndarray, *, purpose: str, step: int) -> np.ndarray:
        """Choose `[rows]` bool of the whole global batch, as a function of seed and step."""
        chance = generator(self.context.seed, f"order {purpose}", step).random(len(rows))
        return chance < self.block.reversed

    def items(self, rows: np.ndarray, text: Padded, part: np.ndarray, drawn: np.ndarray) -> Wanted:
        """Pair each text, reversed or not, with its own image; 1 where it was reversed."""
        ids, chosen = text.ids.copy(), drawn[part]
        for row in np.flatnonzero(chosen):
            words = text.words[row] >= 0  # neither special tokens nor padding
            ids[row, words] = text.ids[row, words][::-1]
        return Wanted(
            text=np.arange(len(rows)),
            image=self.context.split.corpus.image_of_row[rows],
            ids=ids,
            target=(ids != text.ids).any(1).astype(np.int64),
        )


def prepare(block: Order, context: Context) -> ReversedWords:
    """Return what makes the items."""
    return ReversedWords(block=block, context=context)
