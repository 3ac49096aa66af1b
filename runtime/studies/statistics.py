"""What scores of a few seeds say: means, differences paired by seed, and how sure they are.

A seed is one run: its initial weights, the order of its rows, its masks. Seed `k` of one variant
shares these with seed `k` of another, so variants are compared seed by seed. Intervals are
Student's: with three seeds they hold the mean in 94 of 100 studies, where resampling the seeds
holds it in 74.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from renaissance.runtime.evaluation.intervals import Interval, outside, student

LEVEL = 0.05
LEAST_SEEDS = 3
"""Seeds from which on anything is concluded.

Of two, the deviation has one degree of freedom: in 95 of 100 studies the true one is 0.45 to 32
times what is seen, so that a verdict would rest on how alike two numbers happen to be.
"""
MOST_EXACT = 16
"""Seeds up to which all flips of signs are counted; beyond, as many are drawn."""
ROUNDING = 1e-12
"""Part of numbers below which what is left of them is no more than the rounding of a computer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        mean: of the seeds that there are.
        interval: what holds the mean of all seeds in 95 of 100 studies, as far as there can be such
            values; None for a single seed, and where all have one value though any is possible.
        deviation: standard deviation of single seeds, as large as steps of the metric may hide;
            None for a single one.
        seeds: how many there are.
    """

    mean: float
    interval: Interval | None
    deviation: float | None
    seeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far a variant is from the baseline, paired by seed.

    Attributes:
        estimate: of the difference, variant minus baseline.
        better: share of the seeds in which the variant has more; a tie counts half.
        p: how often so large a difference appears where variants are alike, by Student's test.
        exact: the same by flips of signs, which take nothing for granted, but need many seeds.
    """

    estimate: Estimate
    better: float
    p: float
    exact: float

    @property
    def distinguishable(self) -> bool:
        """Whether the interval holds no zero, of as many seeds as say anything."""
        interval = self.estimate.interval
        enough = self.estimate.seeds >= LEAST_SEEDS
        return enough and interval is not None and not interval[0] <= 0 <= interval[1]

    @property
    def supposes_normal(self) -> bool:
        """Whether only Student's test says so, which takes differences to be about normal."""
        return self.exact > LEVEL


def estimate(
    values: Sequence[float] | np.ndarray,
    *,
    low: float = -inf,
    high: float = inf,
    known_to: float = 0.0,
) -> Estimate:
    """Return the mean over seeds with Student's interval, cut where there can be no values.

    Values of a metric that goes by steps, such as a share of few rows, may be the same by chance.
    The deviation is then taken for the largest that such values may have had before they were
    rounded: seeds that look alike prove no more than the steps allow.

    Args:
        values: `[seeds]`, finite, at least one.
        low: the least value that there can be.
        high: the largest.
        known_to: how far each value may be from what it would be without steps.

    Source: Ferson et al. 2007, Experimental Uncertainty Estimation and Statistics for Data Having
    Interval Uncertainty, SAND2007-0939 (the largest variance of values known to an interval).
    """
    scores = np.asarray(values, np.float64)
    seeds = len(scores)
    mean = float(scores.mean())
    if abs(mean) <= ROUNDING * float(np.abs(scores).max()):
        mean = 0.0
    if seeds < 2:
        return Estimate(mean=mean, interval=None, deviation=None, seeds=seeds)
    deviation = float(scores.std(ddof=1))
    if deviation <= ROUNDING * float(np.abs(scores).max()):
        deviation = 0.0
    deviation = max(deviation, known_to * _largest_deviation(seeds))
    if not deviation:
        return Estimate(mean=mean, interval=None, deviation=0.0, seeds=seeds)
    reach = student(seeds - 1) * deviation / sqrt(seeds)
    interval = (mean - reach, mean + reach)
    if low <= scores.min() and scores.max() <= high:
        interval = cut(interval, low, high)
    return Estimate(mean=mean, interval=interval, deviation=deviation, seeds=seeds)


def cut(interval: Interval, low: float, high: float) -> Interval:
    """Return the part of an interval that lies between the least and the largest value."""
    return min(max(interval[0], low), high), max(min(interval[1], high), low)


def _largest_deviation(seeds: int) -> float:
    """Return the largest standard deviation of so many values that are 1 from 0 at most."""
    return sqrt((seeds + 1) / seeds if seeds % 2 else seeds / (seeds - 1))


def difference(
    values: Sequence[float] | np.ndarray,
    baseline: Sequence[float] | np.ndarray,
    *,
    larger_is_better: bool = True,
    step: float = 0.0,
    span: float = inf,
) -> Difference:
    """Compare a variant with the baseline, seed by seed.

    Args:
        values: `[seeds]` of the variant.
        baseline: `[seeds]` of the baseline, in the same order of seeds.
        larger_is_better: False for losses, errors and ranks.
        step: how far two different values are apart at least; 0 where any are possible.
        span: from the least value that there can be to the largest.
    """
    mine, theirs = np.asarray(values, np.float64), np.asarray(baseline, np.float64)
    apart = mine - theirs
    # What is left of equal numbers that were added up in another order is no difference.
    apart[np.abs(apart) <= ROUNDING * np.maximum(np.abs(mine), np.abs(theirs))] = 0.0
    # Each of the two is known to half a step.
    found = estimate(apart, low=-span, high=span, known_to=step)
    return Difference(
        estimate=found,
        better=share_above(apart if larger_is_better else -apart),
        p=student_p(found),
        exact=sign_flip(apart),
    )


def share_above(differences: np.ndarray) -> float:
    """Return the share of differences `[seeds]` above 0, ties counted half.

    Source: Bouthillier et al. 2021, Accounting for Variance in Machine Learning Benchmarks.
    """
    return float((differences > 0).mean() + 0.5 * (differences == 0).mean())


def student_p(differences: Estimate) -> float:
    """Return the two-sided p of the mean of paired differences; 1 where their deviation is unknown.

    It is unknown of a single one, and where all are the same though any are possible.
    """
    if differences.mean == 0 or not differences.deviation:
        return 1.0
    seeds = differences.seeds
    return outside(abs(differences.mean) / differences.deviation * sqrt(seeds), seeds - 1)


def sign_flip(differences: np.ndarray, *, draws: int = 1 << MOST_EXACT, seed: int = 0) -> float:
    """Return the two-sided p of the mean of paired differences: how often flips reach so far.

    Where two variants are alike, each difference could as well have the other sign. All flips are
    counted for up to 16 seeds, so that n seeds cannot give less than 2 / 2^n.

    Args:
        differences: `[seeds]`.
        draws: flips beyond 16 seeds.
        seed: of these.
    """
    seeds = len(differences)
    if seeds <= MOST_EXACT:
        bits = np.arange(1 << seeds)[:, None] >> np.arange(seeds) & 1  # [flips, seeds]
        signs = 1 - 2 * bits
    else:
        signs = np.random.default_rng(seed).choice((-1, 1), (draws, seeds))
        signs[0] = 1  # what was seen is one of them
    sums = np.abs(signs @ differences)
    seen = abs(float(differences.sum()))
    return float((sums >= seen * (1 - 1e-12) - 1e-15).mean())


def least_p(seeds: int) -> float:
    """Return the least p that so many seeds can give, however far variants are apart."""
    return float(2.0 ** (1 - seeds))


def holm(values: Sequence[float]) -> tuple[float, ...]:
    """Return p values adjusted so that any false one among all has the level of a single one.

    Source: Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure.
    """
    adjusted = [0.0] * len(values)
    reached = 0.0
    for done, place in enumerate(sorted(range(len(values)), key=lambda place: values[place])):
        reached = max(reached, min(1.0, (len(values) - done) * values[place]))
        adjusted[place] = reached
    return tuple(adjusted)
