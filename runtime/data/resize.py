"""From an image of any shape to the one that a model reads.

On tensors whose channels lie together torch has a kernel of its own for bytes, which is several
times as fast as Pillow's; values differ from Pillow's by 1 in a few of a thousand.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode

from renaissance.grammar.kinds.source import Fit, Resize

METHOD = "torch bicubic antialias uint8"
"""Names the function of this file; another one gives other pixels and needs another name."""
LONG = 4
"""Ratio of the sides above which only the middle of an image is scaled."""


def resized(pixels: np.ndarray, size: int, resize: Resize) -> np.ndarray:
    """Scale an image, bicubic with anti-aliasing.

    Args:
        pixels: `[height, width, 3]` uint8.
        size: height and width of the result, in pixels.
        resize: `crop` scales the shorter side to `size` and cuts out the centre, `squash` scales
            both sides, a `Fit` keeps the shape.

    Returns:
        `[3, size, size]` uint8; of a `Fit` `[3, height, width]`.
    """
    # Pixels of a library's own are read-only, and torch warns of that; nothing is written here.
    image = torch.from_numpy(_writable(pixels)).permute(2, 0, 1)
    height, width = pixels.shape[:2]
    if isinstance(resize, Fit):
        shape = resize.shape(height, width)
        if shape != (height, width):
            image = _scaled(image, list(shape))
    elif (height, width) != (size, size):
        if resize == "squash":
            image = _scaled(image, [size, size])
        elif max(height, width) > LONG * min(height, width):
            image = _middle(image, size)
        else:
            image = v2.functional.center_crop(_scaled(image, [size]), [size, size])
    return image.contiguous().numpy()


def _writable(pixels: np.ndarray) -> np.ndarray:
    if pixels.flags.writeable and pixels.flags.c_contiguous:
        return pixels
    return pixels.copy(order="C")


def _scaled(image: Tensor, shape: list[int]) -> Tensor:
    scaled: Tensor = v2.functional.resize(image, shape, InterpolationMode.BICUBIC, antialias=True)
    return scaled


def _middle(image: Tensor, size: int) -> Tensor:
    """Crop a long image `[3, height, width]`: what makes the middle is cut out and scaled.

    The window starts where a pixel of the result starts, or as near to such a place as there is
    one: pixels are then those of scaling the whole image.
    """
    wide = image.shape[2] > image.shape[1]
    if not wide:
        image = image.transpose(1, 2)
    _, short, long = image.shape
    scaled = int(size * long / short)
    step = long / scaled  # source pixels a pixel of the result
    left = round((scaled - size) / 2)
    reach = 2 * max(step, 1.0) + 1
    last = max(int(left * step - reach), 0)
    starts = np.arange(max(last - max(short, 8), 0), last + 1)
    off = np.abs(starts / step - np.rint(starts / step))
    start = int(starts[off <= off.min() + 1e-9][-1])
    stop = min(int(np.ceil((left + size) * step + reach)) + 1, long)
    window = image[None, :, :, start:stop].contiguous(memory_format=torch.channels_last)
    result = F.interpolate(
        window,
        scale_factor=(size / short, scaled / long),
        mode="bicubic",
        antialias=True,
        recompute_scale_factor=False,
    )[0]
    place = left - round(start / step)
    result = result[:, :, place : place + size]
    return result if wide else result.transpose(1, 2)
