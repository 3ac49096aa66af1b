"""Pairing texts with images that are not theirs, for image-text matching."""

import numpy as np

from renaissance.runtime.data.randomness import generator

BLOCK = 32
"""Images that negatives are drawn among, so that a rank encodes few images beyond its own."""


def negatives_of_batch(
    images: np.ndarray, count: int, *, seed: int, purpose: str, number: int
) -> np.ndarray | None:
    """Draw other images of the same global batch.

    The distinct images of the batch, in order of appearance, are cut into blocks of about 32. Each
    text draws among the other images of its image's block, without repetition while they last.

    Args:
        images: `[rows]` int64, the image of each text of the global batch.
        count: other images for each text.
        seed: the job's seed.
        purpose: keeps training and validation apart.
        number: the step.

    Returns:
        `[rows, count]` int64 image numbers, or None if the batch has one image only.
    """
    distinct, first, place = np.unique(images, return_index=True, return_inverse=True)
    total = len(distinct)
    if total < 2:
        return None
    appearance = np.argsort(first)
    distinct = distinct[appearance]
    place = np.argsort(appearance)[place]
    blocks = max(round(total / BLOCK), 1)
    edges = np.arange(blocks + 1) * total // blocks
    block = np.searchsorted(edges, place, side="right") - 1
    start, size = edges[block], edges[block + 1] - edges[block]
    columns = np.arange(size.max())
    keys = generator(seed, purpose, number).random((len(images), len(columns)))
    others = (columns < size[:, None]) & (columns != (place - start)[:, None])
    ranked = np.argsort(np.where(others, keys, np.inf), axis=1)
    turn = np.arange(count) % (size - 1)[:, None]
    drawn: np.ndarray = distinct[start[:, None] + np.take_along_axis(ranked, turn, axis=1)]
    return drawn


def negatives_of_data(
    images: np.ndarray,
    count: int,
    *,
    choices: np.ndarray,
    seed: int,
    purpose: str,
    number: int,
) -> np.ndarray:
    """Draw other images of the whole data.

    Args:
        images: `[rows]` int64, the image of each text of the global batch.
        count: other images for each text.
        choices: `[images]` int64, ascending: what can be drawn, two images at least.
        seed: the job's seed.
        purpose: keeps training and validation apart.
        number: the step.

    Returns:
        `[rows, count]` int64 image numbers.
    """
    place = np.searchsorted(choices, images)
    ahead = generator(seed, purpose, number).integers(1, len(choices), size=(len(images), count))
    drawn: np.ndarray = choices[(place[:, None] + ahead) % len(choices)]
    return drawn
