"""The change of `flip`."""

from torch import nn
from torchvision.transforms import v2

from renaissance.runtime.augmentations.flip.schema import Flip


def change(block: Flip) -> nn.Module:
    """Return torchvision's transform of an image `[3, height, width]`."""
    found: nn.Module = v2.RandomHorizontalFlip(float(block.probability))
    return found
