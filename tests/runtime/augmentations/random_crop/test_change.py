"""`random_crop` cuts what torchvision's first implementation cuts, and keeps the size."""

import pytest
import torch
from torch.nn import functional as F
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from renaissance.grammar.declaration import Share
from renaissance.runtime.augmentations.random_crop.change import change
from renaissance.runtime.augmentations.random_crop.schema import RandomCrop


@pytest.mark.parametrize("scale", [0.08, 0.5, 1.0])
def test_it_is_torchvisions(scale: float) -> None:
    # Without overshoots, which the kernel of bytes cuts off between height and width.
    coarse = 40 + 170 * torch.rand(20, 3, 4, 4)
    images = F.interpolate(coarse, size=24, mode="bilinear").to(torch.uint8)
    ours = change(RandomCrop(scale=Share(scale)))
    theirs = transforms.RandomResizedCrop(
        24, scale=(scale, 1.0), interpolation=InterpolationMode.BICUBIC, antialias=True
    )
    for seed, image in enumerate(images):
        torch.manual_seed(seed)
        found = ours(image)
        torch.manual_seed(seed)
        assert int((found.int() - theirs(image).int()).abs().max()) <= 1
        assert found.dtype == torch.uint8 and found.shape == image.shape
        assert scale == 1.0 or not torch.equal(found, image)


def test_the_size_is_that_of_the_image() -> None:
    torch.manual_seed(0)
    image = torch.randint(0, 256, (3, 16, 40), dtype=torch.uint8)
    assert change(RandomCrop())(image).shape == (3, 16, 40)
