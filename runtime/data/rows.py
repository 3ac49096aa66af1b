"""Who makes the items of rows; where a kind says nothing, each row is one."""

from dataclasses import dataclass

import numpy as np

from renaissance.compiler.heads import Kind
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.data.wanted import Context, Maker, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class OneARow:
    """Pairs the text of each row with the images of the row, in their order.

    A pair has as many of them as the model reads at once.

    Attributes:
        context: what the rows are from.
        alone: read texts without images, one a row.
    """

    context: Context
    alone: bool = False

    def draw(self, rows: np.ndarray, *, purpose: str, step: int) -> None:
        """Draw nothing."""

    def items(self, rows: np.ndarray, text: Padded, part: np.ndarray, drawn: None) -> Wanted:
        """Return an item for each row, with the target that the table has."""
        corpus = self.context.split.corpus
        images, at_once = corpus.images_of_row[rows], self.context.images_a_pair  # [n, views]
        if self.alone:
            images, at_once = np.full_like(images[:, :1], -1), 1
        return Wanted(
            text=np.repeat(np.arange(len(rows)), images.shape[1] // at_once),
            image=images.reshape(-1) if at_once == 1 else images.reshape(-1, at_once),
            target=None if corpus.targets is None else corpus.targets.of(rows),
            row=rows,
        )


def maker_of(kind: Kind, context: Context) -> Maker:
    """Return what makes the items of an objective or a task: one a row where it says nothing."""
    prepare = getattr(optional_facet(kind, "items"), "prepare", None)
    if prepare is None:
        return OneARow(context=context)
    maker: Maker = prepare(kind, context)
    return maker
