"""Order of texts, cutting of batches, held-out images."""

from math import ceil

import numpy as np
import pytest

from renaissance.runtime.data.sampling import Order, held_out, micro_batches, shares

IMAGES = np.repeat(np.arange(30), np.arange(30) % 5 + 1)
ROWS = np.arange(100, 100 + len(IMAGES))


@pytest.mark.parametrize("texts_per_image", [1, 2, 3, 100])
def test_an_epoch_shows_every_text_once(texts_per_image: int) -> None:
    order = Order(ROWS, IMAGES, texts_per_image=texts_per_image, seed=1)
    for epoch in range(3):
        assert sorted(order.epoch(epoch)) == ROWS.tolist()
    assert order.epoch(0).tolist() != order.epoch(1).tolist()


@pytest.mark.parametrize("texts_per_image", [2, 3])
def test_texts_about_one_image_come_together_up_to_a_number(texts_per_image: int) -> None:
    order = Order(ROWS, IMAGES, texts_per_image=texts_per_image, seed=1)
    images = IMAGES[order.epoch(0) - 100]
    # Runs of one image: 5 texts in groups of 2 make 2 + 2 + 1, unless two groups meet by chance.
    starts = np.flatnonzero(np.diff(images, prepend=-1))
    groups = sum(-(-int(n) // texts_per_image) for n in np.bincount(IMAGES))
    assert len(starts) <= groups
    assert len(starts) > groups * 0.8
    single = Order(ROWS, IMAGES, texts_per_image=1, seed=1)
    assert len(np.flatnonzero(np.diff(IMAGES[single.epoch(0) - 100]))) > len(starts)


def test_which_texts_share_a_group_changes_with_the_epoch() -> None:
    order = Order(np.arange(8), np.zeros(8, int), texts_per_image=2, seed=0)
    pairs = [{frozenset(p) for p in order.epoch(e).reshape(-1, 2).tolist()} for e in range(2)]
    assert pairs[0] != pairs[1]


def test_batches_are_full_and_reach_into_the_next_epoch() -> None:
    order = Order(ROWS, IMAGES, texts_per_image=2, seed=4)
    total = len(ROWS)
    stream = np.concatenate([order.batch(step, 16) for step in range(2 * total // 16 + 1)])
    assert stream[:total].tolist() == order.epoch(0).tolist()
    assert stream[total : 2 * total].tolist() == order.epoch(1).tolist()
    assert len(order.batch(total // 16, 16)) == 16


def test_a_batch_may_be_larger_than_the_data() -> None:
    order = Order(np.arange(3), np.arange(3), texts_per_image=1, seed=0)
    batch = order.batch(0, 8)
    assert np.bincount(batch).min() >= 2 and len(batch) == 8


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    first, again = (Order(ROWS, IMAGES, texts_per_image=2, seed=4) for _ in range(2))
    steps = [7, 2, 30, 2]
    assert [first.batch(s, 16).tolist() for s in steps] == [
        again.batch(s, 16).tolist() for s in steps
    ]
    other = Order(ROWS, IMAGES, texts_per_image=2, seed=5)
    assert first.batch(0, 16).tolist() != other.batch(0, 16).tolist()


@pytest.mark.parametrize(("total", "parts"), [(16, 1), (16, 2), (17, 3), (5, 5), (2, 4)])
def test_shares_cover_everything_evenly(total: int, parts: int) -> None:
    cut = shares(total, parts)
    assert [i for s in cut for i in range(s.start, s.stop)] == list(range(total))
    sizes = {s.stop - s.start for s in cut}
    assert len(cut) == parts and max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("micro_batch", [None, 1, 4, 5, 100])
def test_ranks_and_micro_batches_cover_the_global_batch(
    ranks: int, micro_batch: int | None
) -> None:
    draw = np.random.default_rng(0)
    lengths, images = draw.integers(3, 12, 22), np.arange(22) // 2
    by_rank = [micro_batches(lengths, images, rank, ranks, micro_batch) for rank in range(ranks)]
    # No rank makes more passes than even shares would need.
    needed = ceil(ceil(22 / ranks) / (micro_batch or 22))
    assert all(0 < len(passes) <= needed for passes in by_rank)
    places = np.concatenate([part for passes in by_rank for part in passes])
    assert sorted(places.tolist()) == list(range(22))
    assert all(0 < len(part) <= (micro_batch or 22) for passes in by_rank for part in passes)


def test_passes_hold_texts_of_similar_length_and_keep_those_of_an_image_together() -> None:
    lengths = np.array([9, 2, 5, 5, 2, 3, 9, 8])
    images = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    first, second = (micro_batches(lengths, images, rank, 2, 2) for rank in range(2))
    assert [part.tolist() for part in first] == [[4, 5], [0, 1]]
    assert [part.tolist() for part in second] == [[2, 3], [6, 7]]
    assert micro_batches(lengths, images, 1, 2, 4)[0].tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.999])
def test_scenes_are_held_out_whole(share: float) -> None:
    scenes = np.arange(60) // 6
    held = held_out(scenes, share, seed=0)
    assert all(len(set(held[scenes == scene].tolist())) == 1 for scene in range(10))
    assert held[::6].sum() == min(max(round(share * 10), 1), 9)
    assert held.tolist() == held_out(scenes, share, seed=0).tolist()


def test_held_out_images_depend_on_the_seed_and_may_be_none() -> None:
    scenes = np.arange(100)
    assert held_out(scenes, 0.3, 0).tolist() != held_out(scenes, 0.3, 1).tolist()
    assert not held_out(scenes, 0.0, 0).any()
    assert not held_out(np.arange(1), 0.5, 0).any()
    assert held_out(scenes, 0.01, 0, least=2).sum() == 2
    assert not held_out(np.arange(3), 0.5, 0, least=2).any()


def test_weights_say_how_often_texts_come() -> None:
    rows, weights = np.arange(100, 106), np.array([2.0, 1.0, 0.5, 0.5, 0.25, 1.75])
    order = Order(rows, np.arange(6), texts_per_image=1, seed=3, weights=weights)
    assert len(order) == 6
    epochs = 200
    counts = np.bincount(np.concatenate([order.epoch(e) for e in range(epochs)]), minlength=106)
    assert np.abs(counts[100:] - epochs * weights).max() <= 2
    for epoch in range(8):
        within = np.bincount(order.epoch(epoch), minlength=106)[100:]
        assert (np.abs(within - weights) < 1).all()
    again = Order(rows, np.arange(6), texts_per_image=1, seed=3, weights=weights)
    assert (order.batch(5, 4) == again.batch(5, 4)).all()


def test_texts_of_one_weight_come_as_if_nothing_was_said() -> None:
    plain = Order(ROWS, IMAGES, texts_per_image=2, seed=4)
    order = Order(ROWS, IMAGES, texts_per_image=2, seed=4, weights=np.ones(len(ROWS)))
    assert sorted(order.epoch(3)) == sorted(plain.epoch(3))
