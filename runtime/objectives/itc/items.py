"""Which texts and images `itc` compares, and which of them are known to belong together."""

from dataclasses import dataclass

import numpy as np

from renaissance.compiler.expected import Expected, Shape
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.data.wanted import Context, KnownTruth, Wanted
from renaissance.runtime.objectives.differing import check_differing
from renaissance.runtime.objectives.itc.schema import Itc


def expected(block: Itc, shape: Shape) -> Expected:
    """Return what a pass is asked for: each text and its own image."""
    return Expected(pairs=shape.rows, items=shape.rows, compared=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPairs:
    """Pairs each text with its own image, and says what else is true.

    Attributes:
        block: the objective.
        context: what it learns from.
    """

    block: Itc
    context: Context

    def draw(self, rows: np.ndarray, *, purpose: str, step: int) -> np.ndarray:
        """Return what the images of a global batch show, each number once, ascending."""
        corpus = self.context.split.corpus
        return np.unique(corpus.truths.content[corpus.image_of_row[rows]]).astype(np.int64)

    def items(self, rows: np.ndarray, text: Padded, part: np.ndarray, drawn: np.ndarray) -> Wanted:
        """Return the rows, numbered, with true pairs that no row of the batch need have."""
        corpus = self.context.split.corpus
        truths, image = corpus.truths, corpus.image_of_row[rows]
        return Wanted(
            text=np.arange(len(rows)),
            image=image,
            target=np.zeros(len(rows), np.int64),
            truth=KnownTruth(
                text=truths.text[rows].astype(np.int64),
                image=truths.content[image].astype(np.int64),
                pairs=truths.about(rows) if self.block.queue else truths.among(rows, drawn),
                contents=truths.contents,
            ),
        )


def prepare(block: Itc, context: Context) -> OwnPairs:
    """Return what makes the items.

    Raises:
        DataError: if there is nothing to learn, because no pair could be wrong.
    """
    check_differing(block.word(), context)
    return OwnPairs(block=block, context=context)
