"""Resampling of images: against scipy, and by how often intervals hold the true difference."""

import numpy as np
import pytest
from scipy import stats

from renaissance.runtime.studies import resampling
from renaissance.runtime.studies.resampling import resample
from renaissance.runtime.studies.statistics import estimate


def test_without_clusters_it_is_the_bootstrap_of_scipy() -> None:
    rows = np.random.default_rng(0).choice((-1, 0, 1), 500, p=(0.1, 0.75, 0.15))
    found = resample(rows[None], np.arange(500))
    expected = stats.bootstrap((rows,), np.mean, method="percentile", n_resamples=10_000, rng=1)
    interval = expected.confidence_interval
    assert found is not None and found.both is None
    assert found.images == pytest.approx((interval.low, interval.high), abs=2.5e-3)


def test_rows_of_one_image_count_as_one() -> None:
    values = np.random.default_rng(0).normal(size=100)
    once = resample(values[None], np.arange(100))
    often = resample(np.repeat(values, 9)[None], np.repeat(np.arange(100), 9))
    assert once is not None and often is not None
    assert often.images == pytest.approx(once.images)


def test_one_image_says_nothing_about_others() -> None:
    assert resample(np.ones((2, 5)), np.zeros(5)) is None


def test_draws_in_parts_are_as_many_and_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    values, clusters = np.random.default_rng(0).normal(size=(3, 90)), np.arange(90) // 3
    one, again = resample(values, clusters), resample(values, clusters)
    monkeypatch.setattr(resampling, "AT_ONCE", 1000)
    parts = resample(values, clusters)
    assert one == again
    assert one is not None and parts is not None
    assert parts.images == pytest.approx(one.images, abs=0.02)


@pytest.mark.parametrize("seeds", (2, 3, 6))
def test_where_all_images_agree_only_seeds_vary(seeds: int) -> None:
    of_seed = np.random.default_rng(seeds).normal(size=(seeds, 1))
    found = resample(np.repeat(of_seed, 50, axis=1), np.arange(50))
    assert found is not None and found.both is not None
    assert found.images == pytest.approx((of_seed.mean(), of_seed.mean()))
    assert found.both == pytest.approx(estimate(of_seed[:, 0]).interval, rel=0.06)


@pytest.mark.parametrize("seeds", (3, 6))
def test_intervals_hold_the_truth(seeds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds and images vary; over both, the interval holds the true difference."""
    monkeypatch.setattr(resampling, "DRAWS", 400)
    generator = np.random.default_rng(seeds)
    clusters = np.repeat(np.arange(60), 3)
    both, images = [], []
    for _ in range(400):
        of_image = generator.normal(0, 0.5, 60)[clusters]
        of_seed = generator.normal(0, 0.06, (seeds, 1))
        rows = 0.1 + of_image + of_seed + generator.normal(0, 0.5, (seeds, 180))
        found = resample(rows, clusters)
        assert found is not None and found.both is not None
        given = 0.1 + of_seed.mean()  # of these very seeds
        images.append(found.images[0] <= given <= found.images[1])
        both.append(found.both[0] <= 0.1 <= found.both[1])
    assert 0.91 < np.mean(images) < 0.98
    assert 0.92 < np.mean(both) < 0.99
