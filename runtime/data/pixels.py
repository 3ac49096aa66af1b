"""Augmentation and normalisation of decoded images."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2

from renaissance.runtime.data.randomness import generator

Augment = Literal["none", "randaugment"]


def normalised(pixels: np.ndarray, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Return images as a model takes them.

    Args:
        pixels: `[images, 3, height, width]` uint8.
        mean: of each channel, on a scale from 0 to 1.
        std: of each channel, on the same scale.

    Returns:
        `[images, 3, height, width]` float32.
    """
    scale = torch.tensor([1 / (255 * s) for s in std]).view(1, 3, 1, 1)
    shift = torch.tensor([-m / s for m, s in zip(mean, std, strict=True)]).view(1, 3, 1, 1)
    return torch.from_numpy(pixels).float().mul_(scale).add_(shift)


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
