"""Intervals that hold a figure in 95 of 100 drawings of other images from the same source.

Rows about one image, or one scene, are not independent of each other: they are drawn together.
"""

from collections.abc import Iterator
from math import atan, cos, exp, lgamma, log, log1p, pi, sin, sqrt
from statistics import NormalDist

import numpy as np

LEVEL = 0.95
MOST_DRAWS = 1000
LEAST_DRAWS = 200
EXACT_FREEDOM = 2000
"""Degrees of freedom from which on the approximation has ten digits by itself."""
ROWS_IN_ALL = 1_000_000
"""Rows of all draws together, beyond which there are as few draws as there may be."""

Interval = tuple[float, float]


def of_mean(values: np.ndarray, clusters: np.ndarray) -> Interval | None:
    """Return the interval of a mean; None where all rows are of one cluster.

    Shares have Wilson's interval, which stays between 0 and 1, with the number of independent rows
    that would vary as much.

    Args:
        values: `[n]`, what each row is worth.
        clusters: `[n]` int64, rows of one number are drawn together.

    Source: Liang and Zeger 1986 (variance); Wilson 1927, Dean and Pagano 2015 (shares of clusters).
    """
    values = values.astype(np.float64)
    spread = _spread(values, clusters)
    if spread is None:
        return None
    mean, (error, groups) = float(values.mean()), spread
    quantile = student(groups - 1)
    if values.min() < 0 or values.max() > 1:
        return mean - quantile * error, mean + quantile * error
    apart = mean * (1 - mean)
    size = apart / error**2 if error > 0 and apart > 0 else float(groups)
    pull = quantile**2 / size
    centre = (mean + pull / 2) / (1 + pull)
    half = quantile / (1 + pull) * sqrt(apart / size + pull / (4 * size))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def of_difference(values: np.ndarray, clusters: np.ndarray) -> Interval | None:
    """Return the interval of a mean difference `[n]`, of clusters `[n]`, with Student's t."""
    values = values.astype(np.float64)
    spread = _spread(values, clusters)
    if spread is None:
        return None
    mean, (error, groups) = float(values.mean()), spread
    return mean - student(groups - 1) * error, mean + student(groups - 1) * error


def halves(clusters: np.ndarray, *, seed: int = 0) -> Iterator[np.ndarray]:
    """Yield `[n]` bool, the rows of one half of the clusters, many times.

    Halves, drawn without replacement, vary as much as wholes drawn with replacement, and no row
    is there twice, which metrics of groups of rows, or of ranks, would take for two.

    Source: McCarthy 1969, Pseudoreplication: half samples.
    """
    numbers = np.unique(clusters, return_inverse=True)[1]
    groups = int(numbers.max(initial=-1)) + 1
    draws = min(max(ROWS_IN_ALL // max(len(clusters), 1), LEAST_DRAWS), MOST_DRAWS)
    generator = np.random.default_rng(seed)
    for _ in range(draws if groups > 1 else 0):
        # Of an odd number of clusters one half is the larger one, by turns.
        size = (groups + int(generator.integers(2))) // 2
        chosen = np.zeros(groups, bool)
        chosen[generator.permutation(groups)[:size]] = True
        yield chosen[numbers]


def of_draws(drawn: np.ndarray) -> Interval:
    """Return the interval that holds the share `LEVEL` of what was drawn, `[draws]`."""
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def student(freedom: int, level: float = LEVEL) -> float:
    """Return how many standard errors an interval reaches to each side, to ten digits and more.

    Source: Hill 1970, Algorithm 396, Student's t-quantiles; made exact by Newton's method.
    """
    if freedom == 1:
        return float(np.tan(np.pi / 2 * level))
    if freedom == 2:
        return level * sqrt(2 / (1 - level**2))
    tail = 1 - level
    a = 1 / (freedom - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * sqrt(a * np.pi / 2) * freedom
    y = (d * tail) ** (2 / freedom)
    if y > 0.05 + a:
        x = NormalDist().inv_cdf(tail / 2)
        y = x**2
        if freedom < 5:
            c += 0.3 * (freedom - 4.5) * (x + 0.6)
        c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = float(np.expm1(a * y**2))
    else:
        y = (
            (
                1 / (((freedom + 6) / (freedom * y) - 0.089 * d - 0.822) * (freedom + 2) * 3)
                + 0.5 / (freedom + 4)
            )
            * y
            - 1
        ) * (freedom + 1) / (freedom + 2) + 1 / y
    reach = sqrt(freedom * y)
    for _ in range(3 if freedom < EXACT_FREEDOM else 0):
        reach -= (_within(reach, freedom) - level) / (2 * _density(reach, freedom))
    return reach


def outside(reach: float, freedom: int) -> float:
    """Return the probability that Student's variable is as far from 0 as `reach`, or farther."""
    return max(1 - _within(reach, freedom), 0.0)


def _within(reach: float, freedom: int) -> float:
    """Return the probability of Student's distribution between `-reach` and `reach`.

    Source: Abramowitz and Stegun 1964, 26.7.3 and 26.7.4.
    """
    angle = atan(reach / sqrt(freedom))
    if freedom == 1:
        return 2 / pi * angle
    odd = freedom % 2
    places = np.arange(1, (freedom - odd) // 2)  # [terms - 1]
    ratios = 2 * places / (2 * places + 1) if odd else (2 * places - 1) / (2 * places)
    series = 1 + float(np.cumprod(ratios * cos(angle) ** 2).sum())
    if odd:
        return 2 / pi * (angle + sin(angle) * cos(angle) * series)
    return sin(angle) * series


def _density(reach: float, freedom: int) -> float:
    """Return the density of Student's distribution."""
    scale = lgamma((freedom + 1) / 2) - lgamma(freedom / 2) - 0.5 * log(freedom * pi)
    return exp(scale - (freedom + 1) / 2 * log1p(reach**2 / freedom))


def _spread(values: np.ndarray, clusters: np.ndarray) -> tuple[float, int] | None:
    """Return the standard error of a mean and the number of clusters; None for a single one."""
    numbers = np.unique(clusters, return_inverse=True)[1]
    groups = int(numbers.max(initial=-1)) + 1
    if groups < 2:
        return None
    off = np.bincount(numbers, weights=values - values.mean())  # [groups]
    return sqrt(groups / (groups - 1) * float(off @ off)) / len(values), groups
