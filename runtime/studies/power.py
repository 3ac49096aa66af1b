"""What a number of seeds can show, and how many a difference needs."""

from math import erf, lgamma, log, sqrt

import numpy as np

from renaissance.runtime.evaluation.intervals import student
from renaissance.runtime.studies.statistics import LEAST_SEEDS

POWER = 0.8
"""How often a difference that is there should be shown."""
MOST_SEEDS = 1000


def least_difference(seeds: int, deviation: float) -> float:
    """Return the least mean difference whose interval holds no zero.

    Args:
        seeds: 2 or more.
        deviation: standard deviation of differences paired by seed.
    """
    return student(seeds - 1) * deviation / sqrt(seeds)


def power(seeds: int, difference: float, deviation: float) -> float:
    """Return how often the interval of so many seeds holds no zero.

    Args:
        seeds: 2 or more.
        difference: the true mean difference.
        deviation: standard deviation of differences paired by seed, above 0.
    """
    freedom, reach = seeds - 1, student(seeds - 1)
    away = abs(difference) / deviation * sqrt(seeds)
    # The deviation as estimated, over the true one, is chi / sqrt(freedom): Simpson's rule.
    ratio = np.linspace(1e-9, 1 + 12 / sqrt(2 * freedom), 2001)
    density = np.exp(
        log(2)
        + freedom / 2 * log(freedom / 2)
        - lgamma(freedom / 2)
        + (freedom - 1) * np.log(ratio)
        - freedom * ratio**2 / 2
    )
    shown = np.array([_above(reach * s - away) + _above(reach * s + away) for s in ratio.tolist()])
    weights = np.ones_like(ratio)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    return float(min(1.0, (weights * density * shown).sum() * (ratio[1] - ratio[0]) / 3))


def seeds_needed(difference: float, deviation: float) -> int | None:
    """Return how many seeds show a true difference in 80 of 100 studies; None beyond 1,000.

    Args:
        difference: that should be shown, not 0.
        deviation: standard deviation of differences paired by seed, above 0.
    """
    low = high = LEAST_SEEDS
    while power(high, difference, deviation) < POWER:
        if high >= MOST_SEEDS:
            return None
        low, high = high, min(2 * high, MOST_SEEDS)
    while low < high:
        middle = (low + high) // 2
        if power(middle, difference, deviation) >= POWER:
            high = middle
        else:
            low = middle + 1
    return high


def shown_difference(seeds: int) -> float:
    """Return what so many seeds show in 80 of 100 studies, in standard deviations."""
    low, high = 0.0, 64.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if power(seeds, middle, 1.0) >= POWER else (middle, high)
    return high


def _above(value: float) -> float:
    """Return the probability that a standard normal variable is above a value."""
    return 0.5 * (1 - erf(value / sqrt(2)))
