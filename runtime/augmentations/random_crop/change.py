"""The change of `random_crop`."""

from collections.abc import Callable

from torch import Tensor
from torchvision.transforms import v2

from renaissance.runtime.augmentations.random_crop.schema import RandomCrop


def change(block: RandomCrop) -> Callable[[Tensor], Tensor]:
    """Return what changes an image `[3, height, width]` uint8: bicubic, with anti-aliasing."""

    def cropped(image: Tensor) -> Tensor:  # [channels, height, width]
        # About as wide for its height as the image is, so that what is cut out keeps its shape.
        wide = image.shape[-1] / image.shape[-2]
        crop = v2.RandomResizedCrop(
            image.shape[-2:],
            scale=(float(block.scale), 1.0),
            ratio=(3 / 4 * wide, 4 / 3 * wide),
            interpolation=v2.InterpolationMode.BICUBIC,
        )
        result: Tensor = crop(image)
        return result

    return cropped
