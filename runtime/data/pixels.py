"""Augmentation of decoded images."""

from typing import Literal

import numpy as np
import torch
from torchvision.transforms import v2

from renaissance.runtime.data.randomness import generator

Augment = Literal["none", "randaugment"]


def augmented(pixels: np.ndarray, images: np.ndarray, seed: int, step: int) -> np.ndarray:
    """Change each image by random operations that depend on seed, step and image alone.

    Args:
        pixels: `[images, 3, height, width]` uint8.
        images: `[images]` int64, their numbers.
        seed: the job's seed.
        step: the step that sees them.

    Source: Cubuk et al. 2020, RandAugment.
    """
    change = v2.RandAugment()
    result = torch.from_numpy(pixels)
    with torch.random.fork_rng(devices=[]):
        for place, image in enumerate(images.tolist()):
            torch.manual_seed(int(generator(seed, "augment", step, image).integers(2**62)))
            result[place] = change(result[place])
    return pixels
