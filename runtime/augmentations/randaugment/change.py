"""The change of `randaugment`."""

from torch import nn
from torchvision.transforms import v2

from renaissance.runtime.augmentations.randaugment.schema import RandAugment


def change(block: RandAugment) -> nn.Module:
    """Return torchvision's transform of an image `[3, height, width]` uint8."""
    found: nn.Module = v2.RandAugment(num_ops=block.operations, magnitude=block.magnitude)
    return found
