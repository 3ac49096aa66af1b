"""Recall and ranks of scores that are known, ties included."""

from collections.abc import Iterator
from math import comb

import numpy as np
import pytest

from renaissance.runtime.tasks.retrieval.ranks import by_chance, measure_scores


def measured(
    scores: np.ndarray, starts: list[int] | np.ndarray, *, block: int = 3, folds: bool = False
) -> dict[str, float]:
    def blocks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, len(scores), block):
            rows = scores[start : start + block]
            yield np.arange(start, start + len(rows)), rows

    return measure_scores(np.asarray(starts), blocks, folds=folds).metrics


def own(images: int, captions: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that are 1 for own pairs and 0 for others, and where captions start."""
    starts = np.arange(images + 1) * captions
    return np.repeat(np.eye(images), captions, axis=1), starts


def test_own_pairs_first_is_everything() -> None:
    scores, starts = own(20, 5)
    found = measured(scores, starts)
    assert {found[f"{side}_r@{k}"] for side in ("text", "image") for k in (1, 5, 10)} == {1.0}
    # Five captions share the first place, and the first of them has it.
    assert found["text_mean_rank"] == found["image_median_rank"] == 1.0
    worst = measured(-scores, starts)
    assert worst["text_r@10"] == worst["image_r@10"] == 0.0
    assert worst["image_mean_rank"] == 20 and worst["text_mean_rank"] == 95 + 1


@pytest.mark.parametrize("value", [0.0, -7.5, 1e30])
def test_the_same_score_everywhere_is_chance(value: float) -> None:
    images, captions = 40, 5
    scores, starts = own(images, captions)
    found = measured(np.full_like(scores, value), starts)
    texts = images * captions
    for k in (1, 5, 10):
        assert found[f"image_r@{k}"] == pytest.approx(k / images)
        chance = 1 - comb(texts - captions, k) / comb(texts, k)
        assert found[f"text_r@{k}"] == pytest.approx(chance)
    assert found["image_mean_rank"] == pytest.approx((images + 1) / 2)
    assert found["text_mean_rank"] == pytest.approx((texts + 1) / (captions + 1))
    assert by_chance(starts, folds=False) == pytest.approx(found)


def test_chance_of_folds_is_that_of_a_thousand_images() -> None:
    found = by_chance(np.arange(2001) * 5, folds=True)
    assert found["image_r@10"] == pytest.approx(10 / 2000)
    assert found["image_r@10.1k"] == pytest.approx(10 / 1000)


def test_figures_are_means_over_all_orders_of_ties() -> None:
    """Break ties by chance many times, and sort."""
    draw = np.random.default_rng(3)
    starts = np.cumsum([0, 2, 1, 3, 2, 1, 2, 3, 1, 2, 2, 1, 4])
    scores = draw.integers(0, 4, (12, starts[-1])).astype(float)
    found = measured(scores, starts)
    image_of = np.repeat(np.arange(12), np.diff(starts))
    sums: dict[str, float] = dict.fromkeys(found, 0.0)
    trials = 4000
    for _ in range(trials):
        noisy = scores + draw.random(scores.shape) / 2
        of_text = (noisy > noisy[image_of, np.arange(starts[-1])]).sum(0) + 1
        ranks = (-noisy).argsort(1).argsort(1) + 1
        of_image = np.array([ranks[i, image_of == i].min() for i in range(12)])
        for side, rank in (("text", of_image), ("image", of_text)):
            sums[f"{side}_mean_rank"] += rank.mean() / trials
            for k in (1, 5, 10):
                sums[f"{side}_r@{k}"] += (rank <= k).mean() / trials
    for name in found:
        if "median" not in name:
            assert found[name] == pytest.approx(sums[name], abs=0.02), name


def test_order_of_images_and_texts_does_not_matter() -> None:
    draw = np.random.default_rng(5)
    scores, starts = own(12, 3)
    scores = scores + draw.integers(0, 3, scores.shape)
    found = measured(scores, starts)
    order = draw.permutation(12)
    columns = (order[:, None] * 3 + np.arange(3)).reshape(-1)
    assert measured(scores[order][:, columns], starts, block=5) == pytest.approx(found)


def test_what_was_not_scored_is_not_found() -> None:
    scores, starts = own(30, 2)
    scores[0, 0] = scores[7] = -np.inf
    found = measured(scores, starts)
    assert found["image_r@1"] == pytest.approx(57 / 60) == found["image_scored"]
    assert found["text_r@1"] == pytest.approx(29 / 30) == found["text_scored"]
    # It stands last.
    assert found["image_mean_rank"] == pytest.approx((57 + 3 * 30) / 60)
    everything = np.full_like(scores, -np.inf)
    none = measured(everything, starts)
    assert none["image_r@10"] == none["text_r@10"] == 0.0


def test_folds_are_blocks_of_a_thousand_images_with_their_texts() -> None:
    images, captions = 3000, 2
    draw = np.random.default_rng(0)
    starts = np.arange(images + 1) * captions
    scores = draw.random((images, images * captions), np.float32)
    found = measured(scores, starts, block=700, folds=True)
    of_folds = [
        measured(
            scores[1000 * fold : 1000 * fold + 1000, 2000 * fold : 2000 * fold + 2000],
            starts[:1001],
            block=1000,
        )
        for fold in range(3)
    ]
    for name in ("text_r@10", "image_r@10", "image_mean_rank", "text_median_rank"):
        mean = np.mean([one[name] for one in of_folds])
        assert found[f"{name}.1k"] == pytest.approx(mean)
    assert not any(
        name.endswith(".1k") for name in measured(scores[:1000, :2000], starts[:1001], folds=True)
    )
