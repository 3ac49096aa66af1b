"""Other images for image-text matching."""

import numpy as np
import pytest

from renaissance.runtime.data.truths import Truths
from renaissance.runtime.objectives.itm.matching import (
    BLOCK,
    NONE,
    negatives_of_batch,
    negatives_of_data,
)


def truths_of(
    images: np.ndarray, *, content: np.ndarray | None = None, pairs: np.ndarray | None = None
) -> Truths:
    """Every text differs from the others, and every image unless its content is given."""
    content = np.arange(images.max() + 1) if content is None else content
    none = np.zeros(0, np.int64)
    return Truths(
        text=np.arange(len(images)),
        image=images,
        content=content,
        contents=int(content.max()) + 1,
        pairs=none if pairs is None else pairs,
    )


def drawn(
    images: np.ndarray, count: int, number: int = 0, truths: Truths | None = None
) -> np.ndarray:
    return negatives_of_batch(
        np.arange(len(images)),
        images,
        count,
        truths=truths or truths_of(images),
        seed=0,
        purpose="match train",
        number=number,
    )


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
    assert (drawn(np.array([4, 4]), 1) == NONE).all()


@pytest.mark.parametrize("count", [1, 3, 16])
def test_no_image_that_the_text_is_true_of(count: int) -> None:
    # Images of three kinds; text 0 is true of the kinds 0 and 1, text 5 of all.
    images = np.arange(40)
    kinds = images % 3
    truths = truths_of(images, content=kinds, pairs=np.array([0, 1, 15, 16, 17]))
    for number in range(50):
        negatives = drawn(images, count, number, truths)
        assert (negatives[5] == NONE).all()
        others = np.delete(negatives, 5, axis=0)
        assert (others >= 0).all()
        assert (kinds[others] != np.delete(kinds, 5)[:, None]).all()
        assert (kinds[negatives[0]] == 2).all()


def from_data(truths: Truths, images: np.ndarray, choices: np.ndarray, count: int) -> np.ndarray:
    return negatives_of_data(
        np.arange(len(images)),
        images,
        count,
        choices=choices,
        truths=truths,
        seed=0,
        purpose="match train",
        number=0,
    )


def test_drawn_from_the_data() -> None:
    choices = np.array([2, 3, 5, 7, 11])
    images = np.tile(choices, 2000)
    negatives = from_data(truths_of(images), images, choices, 2)
    assert (negatives != images[:, None]).all()
    counts = np.bincount(negatives[images == 5].reshape(-1), minlength=12)[[2, 3, 7, 11]]
    assert abs(counts - 1000).max() < 5 * np.sqrt(750)


def test_a_needle_in_the_data_is_found() -> None:
    # Of 1,000 images all but one show the same; text 1 is true of that one as well.
    images = np.array([0, 1, 999])
    content = np.zeros(1000, np.int64)
    content[999] = 1
    truths = truths_of(images, content=content, pairs=np.array([1 * 2 + 1]))
    negatives = from_data(truths, images, np.arange(1000), 4)
    assert (negatives[0] == 999).all()
    assert (negatives[1] == NONE).all()
    assert (negatives[2] < 999).all()
