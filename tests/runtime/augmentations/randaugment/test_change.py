"""`randaugment` is torchvision's, and its two implementations agree on what it does."""

import pytest
import torch
from torch import Tensor
from torchvision import transforms
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.autoaugment import _apply_op

from renaissance.runtime.augmentations.randaugment.change import change
from renaissance.runtime.augmentations.randaugment.schema import RandAugment


@pytest.mark.parametrize(("operations", "magnitude"), [(2, 9), (1, 0), (2, 7), (4, 30)])
def test_it_is_torchvisions(operations: int, magnitude: int) -> None:
    images = torch.randint(0, 256, (40, 3, 24, 24), dtype=torch.uint8)
    ours = change(RandAugment(operations=operations, magnitude=magnitude))
    theirs = v2.RandAugment(num_ops=operations, magnitude=magnitude)
    changed = 0
    for seed, image in enumerate(images):
        torch.manual_seed(seed)
        found = ours(image)
        torch.manual_seed(seed)
        assert torch.equal(found, theirs(image))
        assert found.dtype == torch.uint8 and found.shape == image.shape
        changed += not torch.equal(found, image)
    assert changed >= 10 or magnitude == 0


def first_implementation(image: Tensor, magnitude: int, sign: int) -> Tensor:
    """One operation as torchvision's first implementation does it, drawn as both draw it."""
    space = transforms.RandAugment()._augmentation_space(31, (24, 24))
    name, (magnitudes, signed) = list(space.items())[int(torch.randint(len(space), (1,)))]
    strength = float(magnitudes[magnitude]) if magnitudes.ndim else 0.0
    strength *= sign if signed else 1
    return _apply_op(image, name, strength, InterpolationMode.NEAREST, None)


@pytest.mark.parametrize("magnitude", [5, 9, 20])
def test_each_operation_is_that_of_the_first_implementation(magnitude: int) -> None:
    images = torch.randint(0, 256, (60, 3, 24, 24), dtype=torch.uint8)
    ours = change(RandAugment(operations=1, magnitude=magnitude))
    for seed, image in enumerate(images):
        torch.manual_seed(seed)
        found = ours(image).int()
        off = []
        for sign in (1, -1):
            torch.manual_seed(seed)
            off.append(int((first_implementation(image, magnitude, sign) - found).abs().max()))
        assert min(off) <= 1


def test_the_defaults_are_torchvisions() -> None:
    block, theirs = RandAugment(), transforms.RandAugment()
    assert (block.operations, block.magnitude) == (theirs.num_ops, theirs.magnitude)
