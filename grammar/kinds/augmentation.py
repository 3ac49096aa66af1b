"""Augmentations: random changes of training images."""

from typing import ClassVar

from renaissance.grammar.kinds.block import KindBlock


class AugmentationBlock(KindBlock):
    """A random change of training images. Facets: `change.py` makes it."""

    family: ClassVar[str] = "augmentation"
    swaps_sides: ClassVar[bool] = False
    """What was left is right afterwards, so that texts that say so are wrong."""
