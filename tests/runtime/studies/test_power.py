"""Power: against the noncentral distribution of scipy, and by simulation."""

import numpy as np
import pytest
from scipy import stats

from renaissance.runtime.studies.power import (
    POWER,
    least_difference,
    power,
    seeds_needed,
    shown_difference,
)
from renaissance.runtime.studies.statistics import estimate


@pytest.mark.parametrize("seeds", (2, 3, 4, 10, 60))
@pytest.mark.parametrize("difference", (0.2, 1.0, 3.0))
def test_power_is_that_of_the_noncentral_distribution(seeds: int, difference: float) -> None:
    reach, away = stats.t.ppf(0.975, seeds - 1), difference * np.sqrt(seeds) / 1.3
    expected = stats.nct.sf(reach, seeds - 1, away) + stats.nct.cdf(-reach, seeds - 1, away)
    assert power(seeds, difference, 1.3) == pytest.approx(expected, abs=1e-6)


def test_power_by_simulation() -> None:
    drawn = np.random.default_rng(0).normal(2.0, 1.0, (3000, 4))
    lows = np.array([interval[0] for row in drawn if (interval := estimate(row).interval)])
    assert (lows > 0).mean() == pytest.approx(power(4, 2.0, 1.0), abs=0.03)


def test_the_least_difference_is_where_the_interval_begins_to_hold_no_zero() -> None:
    values = np.array([-1.0, 0.0, 1.0])
    least = least_difference(3, 1.0)
    for shift, shown in ((least * 0.999, False), (least * 1.001, True)):
        interval = estimate(values + shift).interval
        assert interval is not None and (interval[0] > 0) == shown


@pytest.mark.parametrize("difference", (0.3, 1.0, 2.5, 30.0))
def test_seeds_needed_are_the_fewest(difference: float) -> None:
    found = seeds_needed(difference, 1.0)
    assert found is not None
    assert power(found, difference, 1.0) >= POWER
    assert found == 3 or power(found - 1, difference, 1.0) < POWER


@pytest.mark.parametrize("seeds", (2, 3, 10))
def test_the_shown_difference_has_that_power(seeds: int) -> None:
    assert power(seeds, shown_difference(seeds), 1.0) == pytest.approx(POWER, abs=1e-6)


def test_too_small_a_difference_needs_more_seeds_than_anybody_runs() -> None:
    assert seeds_needed(0.001, 1.0) is None
