"""From an image file to a square of pixels."""

import warnings
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode

Resize = Literal["crop", "squash"]


class UnreadableImageError(Exception):
    """An image that is missing or damaged; the message is the reason."""


def read_image(path: str, size: int, resize: Resize) -> np.ndarray:
    """Read an image as the model will see it, before normalisation.

    Args:
        path: any format that Pillow reads.
        size: height and width of the result, in pixels.
        resize: `crop` scales the shorter side to `size` and cuts out the centre, `squash` scales
            both sides; bicubic with anti-aliasing.

    Returns:
        `[3, size, size]` uint8, red, green, blue. What is transparent is white.

    Raises:
        UnreadableImageError: if the file is missing or no readable image.
    """
    image = _decode(path)
    if image.size != (size, size):
        shape = [size, size] if resize == "squash" else [size]
        image = v2.functional.resize(image, shape, InterpolationMode.BICUBIC)
        image = v2.functional.center_crop(image, [size, size])
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))


def _decode(path: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as file:
                image = ImageOps.exif_transpose(file)
                if image.mode != "RGB":
                    image = _on_white(image)
                image.load()
                return image
    except FileNotFoundError:
        raise UnreadableImageError("missing") from None
    except IsADirectoryError:
        raise UnreadableImageError("a folder, not a file") from None
    except UnidentifiedImageError:
        raise UnreadableImageError("not an image") from None
    # Decoders of damaged files raise whatever their parsing stumbles over: OSError, SyntaxError,
    # ValueError, struct.error, IndexError and more.
    except Exception as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise UnreadableImageError(f"damaged ({reason})") from None


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    opaque = image.convert("RGBA")
    white = Image.new("RGBA", opaque.size, "white")
    return Image.alpha_composite(white, opaque).convert("RGB")
