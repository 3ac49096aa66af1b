"""Means, differences and their tests: against scipy, by hand, and by how often they are right."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from renaissance.runtime.studies.statistics import (
    difference,
    estimate,
    holm,
    least_p,
    share_above,
    sign_flip,
)

SEEDS = (2, 3, 4, 5, 8, 12)


@pytest.mark.parametrize("seeds", SEEDS)
def test_the_interval_of_a_mean_is_that_of_scipy(seeds: int) -> None:
    values = np.random.default_rng(seeds).normal(0.7, 0.02, seeds)
    found = estimate(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.mean == pytest.approx(values.mean(), rel=1e-14)
    assert found.interval == pytest.approx((expected.low, expected.high), rel=1e-10)
    assert found.deviation == pytest.approx(values.std(ddof=1), rel=1e-14)


@pytest.mark.parametrize("seeds", SEEDS)
def test_a_difference_is_paired_by_seed(seeds: int) -> None:
    generator = np.random.default_rng(seeds)
    one, other = generator.normal(0.7, 0.1, (2, seeds))
    found = difference(one, other)
    expected = stats.ttest_rel(one, other).confidence_interval(0.95)
    assert found.estimate.interval == pytest.approx((expected.low, expected.high), rel=1e-10)
    assert found.p == pytest.approx(stats.ttest_rel(one, other).pvalue, abs=1e-12)
    assert found.distinguishable == (found.p < 0.05 and seeds > 2)
    assert found.exact == sign_flip(one - other)


@pytest.mark.parametrize("seeds", SEEDS)
def test_p_of_flips_is_that_of_scipy(seeds: int) -> None:
    generator = np.random.default_rng(seeds)
    for scale in (0.2, 1.0, 5.0):
        one, other = generator.normal(scale, 1, seeds), generator.normal(0, 1, seeds)
        expected = stats.permutation_test(
            (one, other),
            lambda a, b, axis: (a - b).mean(axis=axis),
            permutation_type="samples",
            n_resamples=np.inf,
            vectorized=True,
        )
        assert sign_flip(one - other) == expected.pvalue


def test_p_of_equal_scores_is_1_and_the_least_is_that_of_equal_signs() -> None:
    assert sign_flip(np.zeros(5)) == 1
    for seeds in (3, 4, 5, 6):
        assert sign_flip(np.full(seeds, 0.1)) == least_p(seeds)
    assert [least_p(seeds) for seeds in (3, 4, 5, 6)] == [0.25, 0.125, 0.0625, 0.03125]


def test_p_of_many_seeds_is_close_to_that_of_student() -> None:
    values = np.random.default_rng(0).normal(0.4, 1, 40)
    assert sign_flip(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=5e-3)


def test_one_seed_has_no_interval() -> None:
    found = difference([0.8], [0.7])
    assert found.estimate.interval is None and found.estimate.deviation is None
    assert not found.distinguishable
    assert found.p == found.exact == 1


def test_seeds_that_differ_by_the_same_say_nothing_of_how_seeds_vary() -> None:
    found = difference([2, 3, 4], [1, 2, 3])
    assert found.p == 1 and found.estimate.interval is None and not found.distinguishable
    assert difference([2, 3, 4], [2, 3, 4]).p == 1


@pytest.mark.parametrize("seeds", (2, 3, 4, 5))
def test_a_deviation_is_no_smaller_than_what_steps_may_hide(seeds: int) -> None:
    step, same = 0.01, np.full(seeds, 0.6)
    found = difference(same + 0.05, same, step=step)
    ends = np.array(list(product((-step, step), repeat=seeds)))  # as far as each may be off
    largest = ends.std(axis=1, ddof=1).max()
    assert found.estimate.deviation == pytest.approx(largest, rel=1e-9)
    assert found.estimate.mean == pytest.approx(0.05)
    assert found.p == pytest.approx(stats.t.sf(0.05 / largest * np.sqrt(seeds), seeds - 1) * 2)
    wide = np.linspace(-1, 1, seeds)  # varies by more than steps
    assert difference(wide, 0 * wide, step=step) == difference(wide, 0 * wide)


def test_two_seeds_tell_no_difference_and_few_only_if_they_are_normal() -> None:
    assert not difference([0.9, 0.9001], [0.5, 0.5]).distinguishable
    three = difference([0.9, 0.9001, 0.9], [0.5, 0.5, 0.5])
    assert three.distinguishable and three.supposes_normal
    six = difference([0.9, 0.9001] * 3, [0.5] * 6)
    assert six.distinguishable and not six.supposes_normal


def test_intervals_end_where_there_can_be_no_values() -> None:
    found = estimate([0.3, 0.55], low=0, high=1)
    assert found.interval == (0, 1)
    assert difference([0.3, 0.55], [0.1, 0.9], span=1).estimate.interval == (-1, 1)
    outside = estimate([-1, 1.5], low=0, high=1).interval  # the range is not that of these values
    assert outside is not None and outside[0] < -1


def test_what_rounding_leaves_is_no_difference() -> None:
    found = difference([0.1 + 0.2, 0.3, 0.7], [0.3, 0.3, 0.7])
    assert found.estimate.mean == 0 and found.better == 0.5 and found.p == found.exact == 1
    cancelled = difference([0.1, 0.2, 0.3], [0.2, 0.3, 0.1])
    assert cancelled.estimate.mean == 0 and cancelled.p == 1


def test_better_is_a_share_of_seeds_and_less_is_better_for_losses() -> None:
    assert share_above(np.array([0.1, 0.0, -0.1, 0.3])) == 0.625
    assert difference([1, 2, 3], [2, 3, 1]).better == pytest.approx(1 / 3)
    assert difference([1, 2, 3], [2, 3, 1], larger_is_better=False).better == pytest.approx(2 / 3)


def test_holm_by_hand_and_against_scipy_for_equal_values() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([0.25, 0.5, 1.0]) == pytest.approx((0.75, 1.0, 1.0))
    assert holm([]) == ()
    assert holm([0.2]) == (0.2,)


def test_holm_keeps_the_level_of_all_comparisons_together() -> None:
    values = np.random.default_rng(0).uniform(size=(4000, 5))
    wrong = np.mean([min(holm(row)) < 0.05 for row in values.tolist()])
    assert 0.035 < wrong < 0.06


@pytest.mark.parametrize("seeds", (3, 5, 10))
def test_intervals_hold_the_true_difference_in_95_of_100_studies(seeds: int) -> None:
    drawn = np.random.default_rng(seeds).normal(0.3, 1, (2000, seeds))
    intervals = np.array([estimate(row).interval for row in drawn])
    held = ((intervals[:, 0] <= 0.3) & (intervals[:, 1] >= 0.3)).mean()
    assert held == pytest.approx(0.95, abs=0.015)


def test_p_is_below_a_level_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(1).normal(0, 1, (2000, 6))
    values = np.array([sign_flip(row) for row in drawn])
    assert (values <= least_p(6)).mean() == pytest.approx(least_p(6), abs=0.012)
    assert (values <= 0.25).mean() == pytest.approx(0.25, abs=0.03)
