"""How far two variants are apart on other images: rows about one image are drawn together."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np

from renaissance.runtime.evaluation.intervals import Interval, of_draws, student

DRAWS = 10_000
IN_ALL = 100_000_000
"""Images of all draws together, beyond which there are fewer draws, 1,000 at least."""
AT_ONCE = 4_000_000
"""Images of draws that stand in memory together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampled:
    """Intervals of a mean difference of credit.

    Attributes:
        images: for these very runs, over other images.
        both: over other images and other seeds; None for a single seed.
    """

    images: Interval
    both: Interval | None


def resample(differences: np.ndarray, clusters: np.ndarray, *, seed: int = 0) -> Resampled | None:
    """Draw images again and again; None where all rows are of one image.

    Seeds are not drawn, for drawing three of them holds the truth in 74 of 100 studies: what they
    add to a draw comes from Student's distribution.

    Args:
        differences: `[seeds, rows]` credit of the variant minus that of the baseline.
        clusters: `[rows]`, rows of one value are of one image or scene.
        seed: of the draws.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 8 (clusters);
    Owen 2007, The Pigeonhole Bootstrap (two crossed sources).
    """
    numbers = np.unique(clusters, return_inverse=True)[1]
    sizes = np.bincount(numbers).astype(np.float64)  # [clusters]
    if len(sizes) < 2:
        return None
    sums = np.bincount(numbers, weights=differences.mean(axis=0, dtype=np.float64))
    generator = np.random.default_rng(seed)
    draws = min(DRAWS, max(IN_ALL // len(sizes), 1000))
    drawn = np.concatenate(list(_means(sums, sizes, draws, generator)))
    seeds = len(differences)
    both = None
    if seeds > 1:
        error = differences.mean(axis=1, dtype=np.float64).std(ddof=1) / sqrt(seeds)
        both = of_draws(drawn + error * _student_draws(seeds - 1, draws, generator))
    return Resampled(images=of_draws(drawn), both=both)


def _student_draws(freedom: int, draws: int, generator: np.random.Generator) -> np.ndarray:
    """Return draws of Student's distribution, `[draws]`: its quantiles in any order.

    Its tails are so heavy with few seeds that free draws would make intervals uneven.
    """
    quantiles = _quantiles(freedom)
    times = -(-draws // len(quantiles))
    return generator.permutation(np.tile(quantiles, times))[:draws]


@cache
def _quantiles(freedom: int) -> np.ndarray:
    """Return 1,000 evenly spread quantiles of Student's distribution."""
    above = np.array([student(freedom, (place + 0.5) / 500) for place in range(500)])
    return np.concatenate([-above, above])


def _means(
    sums: np.ndarray, sizes: np.ndarray, draws: int, generator: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield means over the rows of drawn clusters, some draws at once."""
    clusters = len(sums)
    once = max(AT_ONCE // clusters, 1)
    for begin in range(0, draws, once):
        chosen = generator.integers(clusters, size=(min(once, draws - begin), clusters))
        yield sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)
