"""Where the images of pairs are in a batch, and what is hidden of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from renaissance.compiler.batch import HiddenPixels, RegionRows


def of_stream(images: np.ndarray, column: int) -> np.ndarray:
    """Return one of the images of each pair, `[pairs]`."""
    return images if images.ndim == 1 else images[:, column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the images of a batch are that a stream reads.

    Attributes:
        column: which of the images of a pair it reads.
        numbers: of the images, ascending.
        places: of each of them.
    """

    column: int
    numbers: np.ndarray
    places: np.ndarray

    def of(self, images: np.ndarray) -> np.ndarray:
        """Return where the images of pairs are, `[pairs]` int64; -1 where there is none.

        Args:
            images: numbers of images, `[pairs]` or `[pairs, images a pair]`, -1 for none.
        """
        images = of_stream(images, self.column)
        found = np.full(len(images), -1)
        there = images >= 0
        found[there] = self.places[np.searchsorted(self.numbers, images[there])]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenImages:
    """Images of a batch of which patches or regions are hidden.

    Attributes:
        shown: as a model reads them, those of each shape.
        masks: `[patches]` bool of each, what is hidden.
        places: where they are.
    """

    shown: tuple[HiddenPixels, ...] | RegionRows
    masks: Sequence[np.ndarray]
    places: Places

    def chosen(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the hidden patches of images by their place, `[n]`.

        Returns:
            `[items]` int64 each: which of the `n`, which patch of it, and which of the patches of
            all images, one image behind the other.
        """
        lengths = np.array([len(mask) for mask in self.masks])
        table = np.zeros((len(lengths), lengths.max()), bool)  # [images, most patches]
        for row, mask in zip(table, self.masks, strict=True):
            row[: len(mask)] = mask
        of, patch = np.nonzero(table[images])
        return of, patch, (np.cumsum(lengths) - lengths)[images[of]] + patch
