"""Keys of `flip`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.augmentation import AugmentationBlock


class Flip(AugmentationBlock):
    """Left and right change places, in a share of the images."""

    called: ClassVar[tuple[str, ...]] = (
        "random_flip",
        "random_horizontal_flip",
        "horizontal_flip",
        "hflip",
        "randomhorizontalflip",
    )
    swaps_sides: ClassVar[bool] = True

    augment: Literal["flip"] = "flip"
    probability: Share = key(
        Share(0.5), doc="share of the images that are mirrored", impact="training", gt=0
    )
