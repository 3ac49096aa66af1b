"""From an image file to the pixels that a model reads.

JPEG files are decoded by simplejpeg, everything else, and what it refuses, by Pillow. Both contain
libjpeg-turbo and give the same pixels; simplejpeg spares copies.
"""

import io
import os
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from renaissance.grammar.kinds.source import Resize
from renaissance.runtime.crops import cropped, whole_and_box
from renaissance.runtime.data.colours import rgb
from renaissance.runtime.data.image_file import (
    UnreadableImageError,
    opened,
    reasons,
    without_text,
)
from renaissance.runtime.data.resize import resized
from renaissance.runtime.regular_file import regular_file

__all__ = ["UnreadableImageError", "decode", "read_image"]

ORIENTATION = 0x0112
"""The EXIF tag that says how the camera was held."""
LARGEST_JPEG = 2**28
"""Bytes of a JPEG file that is read as a whole."""


def read_image(path: str | bytes, size: int, resize: Resize) -> np.ndarray:
    """Read an image as the model will see it, before normalisation.

    Args:
        path: of a file in any format of `image_file.FORMATS`, or such a file itself.
        size: height and width of the result where it is a square, in pixels.
        resize: see `resized`.

    Returns:
        `[3, height, width]` uint8, red, green, blue. What is transparent is white.

    Raises:
        UnreadableImageError: if the file is missing or no readable image.
    """
    return resized(decode(path), size, resize)


def decode(path: str | bytes) -> np.ndarray:
    """Return the pixels of an image file, upright: `[height, width, 3]` uint8.

    Args:
        path: of the file, or the file itself; the path of a part of an image, as `crops` spells it,
            gives that part, as it is stored.

    Raises:
        UnreadableImageError: if the file is missing or no readable image.
    """
    whole, box = whole_and_box(path) if isinstance(path, str) else (path, None)
    if box is not None:
        return cropped(as_stored(whole), box)
    return _read(whole, upright=True)


def as_stored(path: str | bytes) -> np.ndarray:
    """Return the same as `decode` of a whole image, not turned as its EXIF data say."""
    return _read(path, upright=False)


def _read(path: str | bytes, *, upright: bool) -> np.ndarray:
    with reasons(), _opened(path) as file:
        try:
            return _decoded(file, upright)
        except ValueError:
            bare = without_text(file)
            if bare is None:
                raise
            return _decoded(bare, upright)


def _opened(path: str | bytes) -> AbstractContextManager[BinaryIO]:
    return io.BytesIO(path) if isinstance(path, bytes) else regular_file(path)


def _decoded(file: BinaryIO, upright: bool) -> np.ndarray:  # [height, width, 3] uint8
    with opened(file) as image:
        pixels = _by_simplejpeg(file, image)
        if pixels is None:
            image.load()
            pixels = np.asarray(rgb(image))
        return _upright(pixels, image) if upright else pixels


def _by_simplejpeg(file: BinaryIO, image: Image.Image) -> np.ndarray | None:
    """Return the pixels of a plain JPEG file; None where Pillow must see to it."""
    library = _simplejpeg()
    if library is None or image.format != "JPEG" or image.mode not in ("RGB", "L"):
        return None
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(place if size > LARGEST_JPEG else 0)
    if size > LARGEST_JPEG:
        return None
    try:
        pixels: np.ndarray = library.decode_jpeg(file.read(), "RGB")
    except Exception:  # also for what Pillow can repair
        return None
    finally:
        file.seek(place)
    return pixels if pixels.shape[1::-1] == image.size else None


@cache
def _simplejpeg() -> Any:
    try:
        import simplejpeg
    except ImportError:
        return None
    return simplejpeg


def _upright(pixels: np.ndarray, image: Image.Image) -> np.ndarray:
    """Turn an image `[height, width, 3]` as its EXIF data say; unreadable ones say nothing."""
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:
        return pixels
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
