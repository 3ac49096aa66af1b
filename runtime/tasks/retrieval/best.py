"""What is best in a table of scores that lies on the disk, block by block."""

from collections.abc import Iterator

import numpy as np

NOT_SCORED = -np.inf
MEASURED_ROWS = 64
"""Images whose scores are looked at at once."""


def chosen_of(scores: np.ndarray, best: int) -> np.ndarray:
    """Return `[images, texts]` bool: pairs among the best of their image or text, ties too."""
    images, texts = scores.shape
    chosen = np.empty(scores.shape, bool)
    kept = np.full((0, texts), NOT_SCORED, np.float32)
    for start in range(0, images, MEASURED_ROWS):
        block = np.asarray(scores[start : start + MEASURED_ROWS])
        least = np.partition(block, texts - min(best, texts), axis=1)[:, texts - min(best, texts)]
        chosen[start : start + MEASURED_ROWS] = block >= least[:, None]
        kept = np.concatenate([kept, block])
        if len(kept) > best:
            kept = np.partition(kept, len(kept) - best, axis=0)[len(kept) - best :]
    least = kept.min(axis=0)
    for start in range(0, images, MEASURED_ROWS):
        rows = slice(start, start + MEASURED_ROWS)
        chosen[rows] |= np.asarray(scores[rows]) >= least
        chosen[rows] &= np.asarray(scores[rows]) > NOT_SCORED
    return chosen


def blocks_of(scores: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield images `[n]` int64 and their scores `[n, texts]`."""
    for start in range(0, len(scores), MEASURED_ROWS):
        block = np.asarray(scores[start : start + MEASURED_ROWS])
        yield np.arange(start, start + len(block)), block


def first_of(scores: np.ndarray) -> np.ndarray:
    """Return `[texts]` int64: the image that each text finds first."""
    best = np.full(scores.shape[1], NOT_SCORED, np.float32)
    top = np.zeros(scores.shape[1], np.int64)
    for images, block in blocks_of(scores):
        place = block.argmax(axis=0)
        here = block[place, np.arange(len(top))]
        better = here > best
        top[better], best[better] = images[place[better]], here[better]
    return top
