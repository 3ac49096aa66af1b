"""Keys of `random_crop`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.augmentation import AugmentationBlock


class RandomCrop(AugmentationBlock):
    """A part of the image, scaled to its size, as torchvision's RandomResizedCrop draws it.

    It is cut out of the image as `resize` prepares it.
    """

    called: ClassVar[tuple[str, ...]] = ("random_resized_crop", "randomresizedcrop", "rrc")

    augment: Literal["random_crop"] = "random_crop"
    scale: Share = key(
        Share(0.5), doc="smallest share of the area that is cut out", impact="training", gt=0
    )
