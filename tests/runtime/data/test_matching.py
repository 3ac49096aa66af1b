"""Other images for image-text matching."""

import numpy as np
import pytest

from renaissance.runtime.data.matching import BLOCK, negatives_of_batch, negatives_of_data


def drawn(images: np.ndarray, count: int, number: int = 0) -> np.ndarray:
    result = negatives_of_batch(images, count, seed=0, purpose="match train", number=number)
    assert result is not None
    return result


@pytest.mark.parametrize("total", [2, 3, 31, 32, 33, 47, 48, 64, 100, 257])
@pytest.mark.parametrize("count", [1, 3])
def test_never_the_own_image_and_always_near(total: int, count: int) -> None:
    rng = np.random.default_rng(total)
    images = np.repeat(rng.permutation(1000)[:total], rng.integers(1, 4, total))
    negatives = drawn(images, count)
    assert negatives.shape == (len(images), count)
    assert (negatives != images[:, None]).all()
    appearance = {image: place for place, image in enumerate(dict.fromkeys(images.tolist()))}
    distance = [
        abs(appearance[image] - appearance[own])
        for own, row in zip(images.tolist(), negatives.tolist(), strict=True)
        for image in row
    ]
    assert max(distance) < 1.5 * BLOCK
    if total > count:
        assert all(len(set(row)) == count for row in negatives.tolist())


def test_few_images_repeat_evenly() -> None:
    assert (drawn(np.array([5, 9]), 3) == [[9, 9, 9], [5, 5, 5]]).all()


def test_images_of_a_block_are_equally_likely() -> None:
    images = np.arange(16)
    counts = np.zeros((16, 16))
    for number in range(1500):
        counts[images, drawn(images, 1, number)[:, 0]] += 1
    off = counts[~np.eye(16, dtype=bool)]
    assert (np.diag(counts) == 0).all()
    assert abs(off - 100).max() < 5 * 10  # Poisson: mean 100, standard deviation 10


def test_one_image_has_no_other() -> None:
    assert negatives_of_batch(np.array([4, 4]), 1, seed=0, purpose="x", number=0) is None


def test_drawn_from_the_data() -> None:
    choices = np.array([2, 3, 5, 7, 11])
    images = np.tile(choices, 2000)
    negatives = negatives_of_data(
        images, 2, choices=choices, seed=0, purpose="match train", number=0
    )
    assert (negatives != images[:, None]).all()
    counts = np.bincount(negatives[images == 5].reshape(-1), minlength=12)[[2, 3, 7, 11]]
    assert abs(counts - 1000).max() < 5 * np.sqrt(750)
