"""What scores of a few seeds say: means, differences paired by seed, and how sure they are.

A seed is one run: its initial weights, the order of its rows, its masks. Seed `k` of one variant
shares these with seed `k` of another, so variants are compared seed by seed. Intervals are
Student's: with three seeds they hold the mean in 94 of 100 studies, where resampling the seeds
holds it in 74.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from renaissance.runtime.evaluation.intervals import Interval, outside, student

MOST_EXACT = 16
"""Seeds up to which all flips of signs are counted; beyond, as many are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        mean: of the seeds that there are.
        interval: what holds the mean of all seeds in 95 of 100 studies; None for a single seed.
        deviation: standard deviation of single seeds; None for a single one.
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
        """Whether the interval holds no zero."""
        interval = self.estimate.interval
        return interval is not None and not interval[0] <= 0 <= interval[1]


def estimate(values: Sequence[float] | np.ndarray) -> Estimate:
    """Return the mean over seeds with Student's interval.

    Args:
        values: `[seeds]`, finite, at least one.
    """
    scores = np.asarray(values, np.float64)
    mean, seeds = float(scores.mean()), len(scores)
    if seeds < 2:
        return Estimate(mean=mean, interval=None, deviation=None, seeds=seeds)
    deviation = float(scores.std(ddof=1))
    reach = student(seeds - 1) * deviation / sqrt(seeds)
    return Estimate(
        mean=mean, interval=(mean - reach, mean + reach), deviation=deviation, seeds=seeds
    )


def difference(
    values: Sequence[float] | np.ndarray,
    baseline: Sequence[float] | np.ndarray,
    *,
    larger_is_better: bool = True,
) -> Difference:
    """Compare a variant with the baseline, seed by seed.

    Args:
        values: `[seeds]` of the variant.
        baseline: `[seeds]` of the baseline, in the same order of seeds.
        larger_is_better: False for losses.
    """
    apart = np.asarray(values, np.float64) - np.asarray(baseline, np.float64)
    return Difference(
        estimate=estimate(apart),
        better=share_above(apart if larger_is_better else -apart),
        p=student_p(apart),
        exact=sign_flip(apart),
    )


def share_above(differences: np.ndarray) -> float:
    """Return the share of differences `[seeds]` above 0, ties counted half.

    Source: Bouthillier et al. 2021, Accounting for Variance in Machine Learning Benchmarks.
    """
    return float((differences > 0).mean() + 0.5 * (differences == 0).mean())


def student_p(differences: np.ndarray) -> float:
    """Return the two-sided p of the mean of paired differences `[seeds]`; 1 for a single one."""
    seeds, mean = len(differences), float(differences.mean())
    deviation = float(differences.std(ddof=1)) if seeds > 1 else 0.0
    if seeds < 2 or mean == 0:
        return 1.0
    return outside(abs(mean) / deviation * sqrt(seeds), seeds - 1) if deviation else 0.0


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
