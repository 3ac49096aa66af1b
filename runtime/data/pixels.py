"""Augmentation of decoded images."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from renaissance.grammar.kinds.augmentation import AugmentationBlock
from renaissance.grammar.kinds.registry import facet
from renaissance.runtime.data.randomness import generator


def augmented(
    pixels: np.ndarray,
    images: np.ndarray,
    augment: Sequence[AugmentationBlock],
    *,
    seed: int,
    step: int,
) -> np.ndarray:
    """Change each image by random operations that depend on seed, step and image alone.

    Args:
        pixels: `[images, 3, height, width]` uint8, which is written to.
        images: `[images]` int64, their numbers.
        augment: the changes, one after the other; they draw from torch's own generator.
        seed: the job's seed.
        step: the step that sees them.
    """
    changes: list[Callable[[Tensor], Tensor]] = [
        facet(block, "change").change(block) for block in augment
    ]
    result = torch.from_numpy(pixels)
    with torch.random.fork_rng(devices=[]):
        for place, image in enumerate(images.tolist()):
            torch.manual_seed(int(generator(seed, "augment", step, image).integers(2**62)))
            changed = result[place]
            for change in changes:
                changed = change(changed)
            result[place] = changed
    return pixels
