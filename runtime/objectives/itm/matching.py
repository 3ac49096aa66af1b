"""Pairing texts with images of which they are not known to be true, for image-text matching."""

import numpy as np

from renaissance.runtime.data.randomness import generator
from renaissance.runtime.data.truths import Truths

BLOCK = 32
"""Images that negatives are drawn among, so that a rank encodes few images beyond its own."""

ATTEMPTS = 8
"""Draws from the whole data before all of its images are looked through."""

NONE = -1
"""Stands where a text is true of every image that could be drawn: the pair is left out."""


def negatives_of_batch(
    rows: np.ndarray,
    images: np.ndarray,
    count: int,
    *,
    truths: Truths,
    seed: int,
    purpose: str,
    number: int,
) -> np.ndarray:
    """Draw images of the same global batch.

    The distinct images of the batch, in order of appearance, are cut into blocks of about 32. Each
    text draws among the images of its image's block that it is not known to be true of, without
    repetition while they last.

    Args:
        rows: `[rows]` int64, the texts of the global batch.
        images: `[rows]` int64, the image of each.
        count: images for each text.
        truths: of which images each text is true.
        seed: the job's seed.
        purpose: keeps training and validation apart.
        number: the step.

    Returns:
        `[rows, count]` int64 image numbers, `NONE` for a text whose block has none.
    """
    distinct, first, place = np.unique(images, return_index=True, return_inverse=True)
    total = len(distinct)
    appearance = np.argsort(first)
    distinct = distinct[appearance]
    place = np.argsort(appearance)[place]
    blocks = max(round(total / BLOCK), 1)
    edges = np.arange(blocks + 1) * total // blocks
    block = np.searchsorted(edges, place, side="right") - 1
    start, size = edges[block], edges[block + 1] - edges[block]
    columns = np.arange(size.max())
    keys = generator(seed, purpose, number).random((len(images), len(columns)))
    near = distinct[np.minimum(start[:, None] + columns, total - 1)]
    free = (columns < size[:, None]) & ~truths.hold(rows, near)
    ranked = np.argsort(np.where(free, keys, np.inf), axis=1)
    there = free.sum(axis=1)
    turn = np.arange(count) % np.maximum(there, 1)[:, None]
    drawn = np.take_along_axis(near, np.take_along_axis(ranked, turn, axis=1), axis=1)
    return np.where(there[:, None] > 0, drawn, NONE)


def negatives_of_data(
    rows: np.ndarray,
    images: np.ndarray,
    count: int,
    *,
    choices: np.ndarray,
    truths: Truths,
    seed: int,
    purpose: str,
    number: int,
) -> np.ndarray:
    """Draw images of the whole data.

    Args:
        rows: `[rows]` int64, the texts of the global batch.
        images: `[rows]` int64, the image of each.
        count: images for each text.
        choices: `[images]` int64, ascending: what can be drawn, two images at least.
        truths: of which images each text is true.
        seed: the job's seed.
        purpose: keeps training and validation apart.
        number: the step.

    Returns:
        `[rows, count]` int64 image numbers, `NONE` for a text that is true of them all.
    """
    draw = generator(seed, purpose, number)
    place = np.searchsorted(choices, images)[:, None]
    ahead = draw.integers(1, len(choices), size=(len(images), count))
    drawn: np.ndarray = choices[(place + ahead) % len(choices)]
    for _ in range(ATTEMPTS):
        wrong = truths.hold(rows, drawn)
        if not wrong.any():
            return drawn
        ahead = draw.integers(1, len(choices), size=(len(images), count))
        drawn = np.where(wrong, choices[(place + ahead) % len(choices)], drawn)
    wrong = truths.hold(rows, drawn)
    keys = draw.integers(0, 2**62, size=drawn.shape)
    for row in np.flatnonzero(wrong.any(axis=1)).tolist():
        free = choices[~truths.hold(rows[row : row + 1], choices)[0]]
        other = free[keys[row] % len(free)] if len(free) else NONE
        drawn[row] = np.where(wrong[row], other, drawn[row])
    return drawn
