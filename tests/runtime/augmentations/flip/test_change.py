"""`flip` mirrors the share of images that it says."""

import pytest
import torch

from renaissance.grammar.declaration import Share
from renaissance.runtime.augmentations.flip.change import change
from renaissance.runtime.augmentations.flip.schema import Flip


@pytest.mark.parametrize("probability", [0.25, 0.5, 1.0])
def test_a_share_of_the_images_is_mirrored(probability: float) -> None:
    image = torch.arange(3 * 2 * 5, dtype=torch.uint8).view(3, 2, 5)
    mirror = image[:, :, [4, 3, 2, 1, 0]]
    mirrored = change(Flip(probability=Share(probability)))
    torch.manual_seed(0)
    results = [mirrored(image) for _ in range(400)]
    flipped = [torch.equal(result, mirror) for result in results]
    assert all(f or torch.equal(r, image) for f, r in zip(flipped, results, strict=True))
    assert sum(flipped) / 400 == pytest.approx(probability, abs=0.06)
