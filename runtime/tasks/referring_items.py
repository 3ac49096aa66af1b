"""What is asked of a referring expression: it beside each candidate of its photograph."""

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.expected import Expected, Shape
from renaissance.compiler.losses import Scored, cross_entropy
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.data.wanted import Context, Group, Wanted
from renaissance.runtime.tasks.referring import ragged
from renaissance.runtime.tasks.referring_keys import COORDINATES, Referring

SUPPOSED = 10
"""Candidates of a photograph that plans count with."""


def expected(block: Referring, shape: Shape) -> Expected:
    """Return what a pass is asked for; the photographs themselves are not shown."""
    return Expected(
        pairs=SUPPOSED * shape.rows,
        shown=0,
        images=SUPPOSED * shape.images,
        items=shape.rows,
        candidates=SUPPOSED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AmongBoxes:
    """Pairs expressions with all candidates of their photographs.

    Attributes:
        context: what the rows are from.
        starts: `[rows of the table + 1]` int64: where the candidates of each row start.
        candidates: `[candidates]` int64, numbers of images.
        coordinates: `[candidates, 5]` float32, where each lies; None where the head does not ask.
    """

    context: Context
    starts: np.ndarray
    candidates: np.ndarray
    coordinates: np.ndarray | None = None

    def draw(self, rows: np.ndarray, *, purpose: str, step: int) -> None:
        """Draw nothing."""

    def items(self, rows: np.ndarray, text: Padded, part: np.ndarray, drawn: None) -> Wanted:
        """Return an item for each row: its text with each candidate, in the order of the file."""
        corpus = self.context.split.corpus
        counts = self.starts[rows + 1] - self.starts[rows]
        group = Group.of(counts)
        place = self.starts[rows][group.item] + group.place
        image = self.candidates[place]
        if not corpus.images.readable(image).all():
            raise DataError("a part of a photograph that could be read cannot be read any more")
        return Wanted(
            text=group.item,
            image=image,
            target=None if corpus.targets is None else corpus.targets.of(rows),
            group=group,
            row=rows,
            numbers=None if self.coordinates is None else self.coordinates[place],
        )


def prepare(block: Referring, context: Context) -> AmongBoxes:
    """Return what makes the items."""
    table = context.split.corpus.table
    starts, candidates = ragged(table.column("candidates"))
    lying = None
    if block.coordinates:
        lying = ragged(table.column("coordinates"))[1].reshape(-1, COORDINATES)
    return AmongBoxes(
        context=context,
        starts=starts,
        candidates=candidates.astype(np.int64),
        coordinates=lying,
    )


def loss(block: Referring, scores: Tensor, items: Items) -> Scored:
    """Compare scores `[items, candidates]`; ties with others are worth what chance would get."""
    assert items.target is not None  # nothing is learned from or measured on a hidden split
    scored = cross_entropy(scores, items.target)
    best = scored.scores.amax(-1, keepdim=True)  # [items, 1]
    ties = (scored.scores == best).sum(-1)  # [items]
    own = scored.scores.gather(1, items.target.clamp(min=0)[:, None])  # [items, 1]
    right = (own == best)[:, 0] & (items.target >= 0)
    return replace(scored, credit=right.float() / ties)
