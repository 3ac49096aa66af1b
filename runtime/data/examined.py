"""Items of an objective that a model was asked for: what `examples.py` of its folder shows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from renaissance.compiler.batch import Batch, Items
from renaissance.compiler.normalisation import Normalisation
from renaissance.runtime.data.batches import Asked
from renaissance.runtime.data.job import JobData
from renaissance.runtime.data.wanted import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """Items of an objective, and what a model says to them.

    Attributes:
        data: that they are of.
        split: likewise.
        asked: the texts that were chosen.
        wanted: what was asked of them.
        items: the same as the model read it.
        scores: `[items, outputs]` float32; of an objective that compares `[texts, images]`.
        credit: `[items]` float32.
        normalised: makes what a model reads of pixels; None where it reads none.
    """

    data: JobData
    split: str
    asked: Asked
    wanted: Wanted
    items: Items
    scores: np.ndarray
    credit: np.ndarray
    normalised: Normalisation | None

    @property
    def batch(self) -> Batch:
        """What the model read."""
        return self.asked.batch

    def text(self, place: int) -> str:
        """Return one of the texts, by its place among those that were asked for."""
        return self.data.sample(self.split, int(self.asked.rows[place])).text

    def image(self, pair: int) -> str:
        """Return the path of the image of a pair."""
        return self.data.path(self.split, int(np.ravel(self.wanted.image[pair])[0]))

    def of_images(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield a pair of each image of which something is hidden, with its items, `[n]`."""
        assert self.items.patches is not None  # something is hidden
        pairs = self.items.patches.pair.numpy()
        for pair in np.unique(self.wanted.image, return_index=True)[1].tolist():
            yield pair, np.flatnonzero(pairs == pair)
