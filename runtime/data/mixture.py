"""What several data blocks mean for an epoch."""

from dataclasses import dataclass

import numpy as np

from renaissance.runtime.data.part import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a data block contributes to an epoch.

    Attributes:
        name: of the block.
        texts: that are learned from.
        weight: how often each comes in an epoch, in the mean.
        share: of the texts of an epoch that are of this block.
    """

    name: str
    texts: int
    weight: float
    share: float


def mixture(part: Part) -> tuple[Share, ...]:
    """Return what each data block contributes, where there are several or one has a weight."""
    table, weights = part.table, part.weights
    if len(table.sources) == 1 and weights is None:
        return ()
    of = table.source_of_row[part.rows]
    mass = np.bincount(of, weights, minlength=len(table.sources))
    texts = np.bincount(of, minlength=len(table.sources))
    return tuple(
        Share(
            name=source.name,
            texts=int(count),
            weight=float(weight / count) if count else 0.0,
            share=float(weight / mass.sum()),
        )
        for source, count, weight in zip(table.sources, texts, mass, strict=True)
    )
