"""Which regions `mrm` hides and asks for."""

from dataclasses import dataclass

import numpy as np

from renaissance.compiler.expected import Expected, Shape
from renaissance.runtime.data.randomness import generator
from renaissance.runtime.data.regions import RegionFiles
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.data.wanted import Context, Wanted
from renaissance.runtime.objectives.mrm.schema import Mrm


def expected(block: Mrm, shape: Shape) -> Expected:
    """Return what a pass is asked for: each text with its image, of which regions are hidden."""
    return Expected(
        pairs=shape.rows,
        shown=0,
        hidden=shape.images,
        patches=True,
        items=shape.rows * _count(block, shape.patches),
        target="vector",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Random choices for the rows of a global batch.

    Attributes:
        seeds: `[rows]` int64, decide what is hidden.
        others: `[rows]` int64, images whose regions may stand in the place of hidden ones.
    """

    seeds: np.ndarray
    others: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenRegions:
    """Hides regions of images.

    Attributes:
        block: the objective.
        context: what it learns from.
        reader: of the regions.
    """

    block: Mrm
    context: Context
    reader: RegionFiles

    def draw(self, rows: np.ndarray, *, purpose: str, step: int) -> Drawn:
        """Draw a seed and another image for each text of the global batch, by its own image."""
        source = generator(self.context.seed, f"regions {purpose}", step)
        seeds = source.integers(2**63, size=len(rows))
        images = self.context.split.corpus.image_of_row[rows]
        others = images[source.permutation(len(rows))]
        _, first, which = np.unique(images, return_index=True, return_inverse=True)
        return Drawn(seeds=seeds[first][which], others=others[first][which])

    def items(self, rows: np.ndarray, text: Padded, part: np.ndarray, drawn: Drawn) -> Wanted:
        """Pair each text as it is with its own image, of which regions are hidden."""
        images = self.context.split.corpus.image_of_row[rows]
        # Texts of one image see the same of it.
        shown, first, which = np.unique(images, return_index=True, return_inverse=True)
        others = drawn.others[part][first]
        others = np.where(self.reader.readable(others), others, shown)
        hidden, changed, known = [], [], []
        for seed, own, other in zip(
            drawn.seeds[part][first].tolist(),
            self.reader.regions(shown),
            self.reader.regions(others),
            strict=True,
        ):
            mask, features = self._changed(seed, own, other)
            hidden.append(mask)
            changed.append(features)
            known.append(own[mask])
        return Wanted(
            text=np.arange(len(rows)),
            image=images,
            hidden=[hidden[place] for place in which],
            changed=[changed[place] for place in which],
            target=np.concatenate([known[place] for place in which]),
        )

    def _changed(
        self, seed: int, own: np.ndarray, other: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return which regions of an image are asked for, and features as they are shown.

        Args:
            seed: decides.
            own: `[regions, channels + classes]` of the image.
            other: the same of another one.
        """
        source = np.random.Generator(np.random.PCG64(seed))
        chosen = source.permutation(len(own))[: _count(self.block, len(own))]
        fate = source.random(len(chosen))
        picked = source.integers(len(other), size=len(chosen))
        features = own[:, : own.shape[1] - self.block.classes].copy()
        replaced = fate < self.block.random
        features[chosen[fate >= self.block.random + self.block.keep]] = 0
        features[chosen[replaced]] = other[picked[replaced], : features.shape[1]]
        mask = np.zeros(len(own), bool)
        mask[chosen] = True
        return mask, features


def prepare(block: Mrm, context: Context) -> HiddenRegions:
    """Return what makes the items."""
    [reader] = context.split.corpus.images.readers.values()
    assert isinstance(reader, RegionFiles)  # as its head was built
    return HiddenRegions(block=block, context=context, reader=reader)


def _count(block: Mrm, regions: int) -> int:
    """Return how many of the regions of an image are hidden, one at least."""
    return max(round(block.probability * regions), 1)
