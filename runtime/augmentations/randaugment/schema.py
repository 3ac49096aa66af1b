"""Keys of `randaugment`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.augmentation import AugmentationBlock


class RandAugment(AugmentationBlock):
    """Operations of colour and shape, drawn for each image. Source: Cubuk et al. 2020."""

    called: ClassVar[tuple[str, ...]] = ("rand_augment", "autoaugment", "trivialaugment", "randaug")

    augment: Literal["randaugment"] = "randaugment"
    operations: int = key(
        2, doc="changes of an image, one after the other", impact="training", ge=1, le=100
    )
    magnitude: int = key(9, doc="how strong they are, of 30", impact="training", ge=0, le=30)
