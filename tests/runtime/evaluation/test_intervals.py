"""Intervals: against scipy, in closed form, and by how often they hold what is true."""

from math import sqrt

import numpy as np
import pytest

from renaissance.runtime.evaluation.intervals import (
    halves,
    of_difference,
    of_draws,
    of_mean,
    student,
)

TABLE = {
    1: 12.7062,
    2: 4.3027,
    3: 3.1824,
    4: 2.7764,
    5: 2.5706,
    10: 2.2281,
    30: 2.0423,
    120: 1.9799,
}
"""Quantiles of Student's distribution as printed tables have them."""


@pytest.mark.parametrize("freedom", TABLE)
def test_student_is_that_of_the_tables(freedom: int) -> None:
    assert student(freedom) == pytest.approx(TABLE[freedom], abs=6e-5)


def test_student_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for freedom in (1, 2, 3, 4, 5, 7, 12, 40, 1_000, 1_999, 2_000, 200_000):
        assert student(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-10)
        assert student(freedom, 0.6) == pytest.approx(stats.t.ppf(0.8, freedom), rel=1e-9)


def test_a_share_of_independent_rows_has_the_interval_of_wilson() -> None:
    right = np.array([1.0] * 30 + [0.0] * 70)
    low, high = of_mean(right, np.arange(100)) or (0, 0)
    # Wilson 1927 with n - 1 for n and Student's quantile for the normal one.
    size, quantile = 99, student(99)
    centre = (0.3 + quantile**2 / (2 * size)) / (1 + quantile**2 / size)
    half = sqrt(0.21 / size + quantile**2 / (4 * size**2)) * quantile / (1 + quantile**2 / size)
    assert (low, high) == pytest.approx((centre - half, centre + half), abs=1e-9)
    stats = pytest.importorskip("scipy.stats")
    plain = stats.binomtest(30, 100).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((plain.low, plain.high), abs=2e-3)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_rows_that_are_all_alike_are_not_certain(value: float) -> None:
    low, high = of_mean(np.full(50, value), np.arange(50)) or (0, 0)
    assert 0 <= low <= value <= high <= 1 and 0.03 < high - low < 0.1
    # So many rows about ten images say no more than ten rows.
    few = of_mean(np.full(500, value), np.repeat(np.arange(10), 50)) or (0, 0)
    assert few[1] - few[0] > 0.2


def test_rows_about_one_image_say_no_more_than_one_of_them() -> None:
    values = np.random.default_rng(0).integers(2, size=200).astype(float)
    alone = of_mean(values, np.arange(200)) or (0, 0)
    again = of_mean(np.repeat(values, 7), np.repeat(np.arange(200), 7)) or (0, 0)
    assert again == pytest.approx(alone, abs=1e-12)


def test_a_difference_has_the_interval_of_student() -> None:
    values = np.array([0.2, -0.4, 0.9, 0.1, 0.3])
    error = values.std(ddof=1) / sqrt(5)
    low, high = of_difference(values, np.arange(5)) or (0, 0)
    assert (low, high) == pytest.approx(
        (values.mean() - 2.776445 * error, values.mean() + 2.776445 * error), abs=1e-5
    )
    # What is no share has the same.
    assert of_mean(values, np.arange(5)) == pytest.approx((low, high))


def test_one_image_has_no_interval() -> None:
    assert of_mean(np.array([1.0, 0.0]), np.zeros(2, int)) is None
    assert of_difference(np.array([1.0, 0.0]), np.zeros(2, int)) is None
    assert not list(halves(np.zeros(9, int)))


def test_halves_keep_images_whole_and_vary_as_much_as_the_whole() -> None:
    clusters = np.random.default_rng(1).permutation(np.repeat(np.arange(41), 5))
    values = np.random.default_rng(2).normal(size=41)[clusters]
    drawn = []
    for half in halves(clusters):
        kept = {number: set(half[clusters == number]) for number in range(41)}
        assert all(len(there) == 1 for there in kept.values())
        drawn.append(values[half].mean())
    low, high = of_mean(values, clusters) or (0, 0)
    error = (high - low) / 2 / student(40)
    assert np.std(drawn) == pytest.approx(error, rel=0.1)
    assert [half.tolist() for half in halves(clusters)] == [h.tolist() for h in halves(clusters)]


def clustered(generator: np.random.Generator, images: int, share: float) -> tuple[np.ndarray, ...]:
    """Draw answers about images, some of which are harder than others."""
    rows = generator.integers(1, 8, size=images)
    hard = generator.beta(3 * share, 3 * (1 - share), size=images)
    clusters = np.repeat(np.arange(images), rows)
    return (generator.random(len(clusters)) < hard[clusters]).astype(float), clusters


@pytest.mark.parametrize(("images", "share"), [(30, 0.5), (80, 0.9), (300, 0.97)])
def test_intervals_hold_the_truth_as_often_as_they_say(images: int, share: float) -> None:
    generator = np.random.default_rng(7)
    held = naive = 0
    for _ in range(600):
        values, clusters = clustered(generator, images, share)
        low, high = of_mean(values, clusters) or (0, 0)
        held += low <= share <= high
        low, high = of_mean(values, np.arange(len(values))) or (0, 0)
        naive += low <= share <= high
    assert 0.925 <= held / 600 <= 0.98
    assert naive / 600 < 0.9  # as if rows about one image were independent


def test_halves_hold_the_truth_as_often_as_they_say() -> None:
    generator = np.random.default_rng(3)
    held = 0
    for _ in range(150):
        shared = generator.normal(size=60)
        pairs = np.stack([shared + generator.normal(size=60), shared + generator.normal(size=60)])
        drawn = [np.corrcoef(pairs[:, half])[0, 1] for half in halves(np.arange(60))]
        low, high = of_draws(np.array(drawn))
        held += low <= 0.5 <= high
    assert 0.9 <= held / 150 <= 0.99
