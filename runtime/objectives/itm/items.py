"""Which images `itm` shows to texts: their own, and others that they are not true of."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from renaissance.compiler.expected import Expected, Shape
from renaissance.runtime.data.corpus import Split
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.data.truths import Truths
from renaissance.runtime.data.wanted import Context, Wanted
from renaissance.runtime.objectives.differing import check_differing
from renaissance.runtime.objectives.itm.matching import (
    NONE,
    negatives_of_batch,
    negatives_of_data,
)
from renaissance.runtime.objectives.itm.schema import Itm


def expected(block: Itm, shape: Shape) -> Expected:
    """Return what a pass is asked for: each text with its own image and with others."""
    drawn = block.negatives * shape.rows
    pairs = shape.rows + drawn
    if block.draw == "data":
        return Expected(pairs=pairs, images=drawn, items=pairs, drawn=block.hard)
    # What is drawn from images of other micro-batches comes on top; some are drawn twice.
    missed = (1 - 1 / (shape.images + shape.others - 1)) ** drawn if shape.others else 1.0
    images = round(shape.others * (1 - missed))
    return Expected(pairs=pairs, images=images, items=pairs, drawn=block.hard)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherImages:
    """Draws images for texts.

    Attributes:
        block: the objective.
        context: what it learns from.
        truths: of which images each text is true.
    """

    block: Itm
    context: Context
    truths: Truths

    def draw(self, rows: np.ndarray, *, purpose: str, step: int) -> np.ndarray:
        """Draw other images for the texts of a global batch: `[rows, negatives]` int64."""
        split, seed = self.context.split, self.context.seed
        truths, images = self.truths, split.corpus.image_of_row[rows]
        count, purpose = self.block.negatives, f"match {purpose}"
        near = partial(negatives_of_batch, truths=truths, seed=seed, number=step)
        far = partial(
            negatives_of_data, choices=split.choices, truths=truths, seed=seed, number=step
        )
        if self.block.draw == "data":
            return far(rows, images, count, purpose=purpose)
        drawn = near(rows, images, count, purpose=purpose)
        none = drawn[:, 0] == NONE
        if none.any():
            drawn[none] = far(rows[none], images[none], count, purpose=f"{purpose} far")
        return drawn

    def items(self, rows: np.ndarray, text: Padded, part: np.ndarray, drawn: np.ndarray) -> Wanted:
        """Pair all texts with their own image, then all with the first other one, and so on.

        A pair whose other image is the text's own, because there is no other, is left out.
        """
        split = self.context.split
        own = split.corpus.image_of_row[rows]
        others = readable_others(split, self.truths, rows, drawn[part])
        image = np.vstack([own, others.T])  # [1 + count, rows]
        target = np.zeros(image.shape, np.int64)
        target[0] = 1
        kept = (target == 1) | (image != own)
        turn = np.broadcast_to(np.arange(-1, len(image) - 1)[:, None], image.shape)
        return Wanted(
            text=np.broadcast_to(np.arange(len(rows)), image.shape)[kept],
            image=image[kept],
            target=target[kept],
            turn=turn[kept] if self.block.hard and self.context.training else None,
        )


def prepare(block: Itm, context: Context) -> OtherImages:
    """Return what makes the items.

    Raises:
        DataError: if there is nothing to learn, because no pair could be wrong.
    """
    check_differing(block.word(), context)
    return OtherImages(block=block, context=context, truths=context.split.corpus.truths)


def readable_others(
    split: Split, truths: Truths, rows: np.ndarray, drawn: np.ndarray
) -> np.ndarray:
    """Replace drawn images that cannot be read, or that a text is true of after all.

    That happens where the text itself stands in the place of one whose image cannot be read, and
    where an image is a copy of the text's own under another name.

    Args:
        split: that the texts belong to.
        truths: of which images each text is true.
        rows: `[n]` int64, numbers of texts.
        drawn: `[n, count]` int64, other images; `NONE` where there is none.

    Returns:
        `[n, count]` int64, readable images; the text's own where there is no other.
    """
    images, copies = split.corpus.images, split.corpus.copies
    own = np.broadcast_to(split.corpus.image_of_row[rows][:, None], drawn.shape)
    none = drawn == NONE
    drawn = np.where(none, own, drawn)
    readable = images.readable(drawn.reshape(-1)).reshape(drawn.shape)
    wrong = (~readable | truths.hold(rows, drawn) | copies.are(own, drawn)) & ~none
    for row, column in np.argwhere(wrong).tolist():
        free = split.choices[~truths.hold(rows[row : row + 1], split.choices)[0]]
        ahead = np.roll(free, -int(np.searchsorted(free, drawn[row, column])))
        mine = int(own[row, column])
        fit = (
            image
            for image in copies.without_known(mine, ahead)
            if images.readable(image[None])[0] and not copies.of(mine, int(image))
        )
        drawn[row, column] = next(fit, mine)
    return drawn
