"""Which patches `mim` hides and asks for."""

from dataclasses import dataclass

import numpy as np

from renaissance.compiler.expected import Expected, Shape
from renaissance.runtime.data.randomness import generator
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.data.wanted import Context, Wanted
from renaissance.runtime.objectives.mim.masking import hidden_patches
from renaissance.runtime.objectives.mim.schema import Mim


def expected(block: Mim, shape: Shape) -> Expected:
    """Return what a pass is asked for: each text with its image, of which patches are hidden."""
    return Expected(
        pairs=shape.rows,
        shown=None if block.target == "features" else 0,
        hidden=shape.images,
        patches=True,
        items=shape.rows * _count(block, shape.patches),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenPatches:
    """Hides patches of images.

    Attributes:
        block: the objective.
        context: what it learns from.
    """

    block: Mim
    context: Context

    def draw(self, rows: np.ndarray, *, purpose: str, step: int) -> np.ndarray:
        """Draw a seed for each text of the global batch; texts of one image have the same."""
        source = generator(self.context.seed, f"patches {purpose}", step)
        seeds = source.integers(2**63, size=len(rows))
        images = self.context.split.corpus.image_of_row[rows]
        _, first, which = np.unique(images, return_index=True, return_inverse=True)
        return seeds[first][which]

    def items(self, rows: np.ndarray, text: Padded, part: np.ndarray, drawn: np.ndarray) -> Wanted:
        """Pair each text as it is with its own image, of which patches are hidden."""
        images = self.context.split.corpus.image_of_row[rows]
        grids = self.context.grids(images).tolist()
        hidden = [
            hidden_patches(seed, down, across, _count(self.block, down * across), self.block.mask)
            for seed, (down, across) in zip(drawn[part].tolist(), grids, strict=True)
        ]
        return Wanted(
            text=np.arange(len(rows)),
            image=images,
            hidden=hidden,
            whole=self.block.target == "features",
            target=None,
        )


def prepare(block: Mim, context: Context) -> HiddenPatches:
    """Return what makes the items."""
    return HiddenPatches(block=block, context=context)


def _count(block: Mim, patches: int) -> int:
    """Return how many of the patches of an image are hidden, one at least."""
    return max(round(block.probability * patches), 1)
