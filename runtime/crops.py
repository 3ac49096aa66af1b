"""Parts of images that are images of their own, by paths such as `photo.jpg#xywh=10,20,30,40`.

Boxes are left, top, width and height in pixels of the image as it is stored, not turned as EXIF
data say. Source of the spelling: W3C Media Fragments, section 4.2.2.
"""

import math
from typing import TypeAlias

import numpy as np

Box: TypeAlias = tuple[float, float, float, float]
MARK = "#xywh="


def crop_path(path: str, box: Box) -> str:
    """Return what a part of an image is called."""
    return path + MARK + ",".join(f"{side:.10g}" for side in box)


def whole_and_box(path: str) -> tuple[str, Box | None]:
    """Return the path of the file, and the box in it; None where all of it is meant."""
    whole, mark, box = path.rpartition(MARK)
    if not mark:
        return path, None
    try:
        left, top, width, height = map(float, box.split(","))
    except ValueError:
        return path, None
    return whole, (left, top, width, height)


def cropped(pixels: np.ndarray, box: Box) -> np.ndarray:
    """Cut out the pixels that a box touches, one at least, none outside of the image.

    Args:
        pixels: `[height, width, 3]` uint8.
        box: left, top, width, height.
    """
    height, width = pixels.shape[:2]
    left = min(max(math.floor(box[0]), 0), width - 1)
    top = min(max(math.floor(box[1]), 0), height - 1)
    right = min(max(math.ceil(box[0] + box[2]), left + 1), width)
    bottom = min(max(math.ceil(box[1] + box[3]), top + 1), height)
    return pixels[top:bottom, left:right]
