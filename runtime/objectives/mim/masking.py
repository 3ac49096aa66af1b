"""Which patches of an image are hidden."""

import math
from typing import Literal

import numpy as np

SMALLEST = 16
"""Patches of a block at least, where as many are still to be hidden."""
FLATTEST = 0.3
"""Height of a block over its width at least, and the reverse."""


def hidden_patches(
    seed: int, down: int, across: int, count: int, how: Literal["random", "block"]
) -> np.ndarray:
    """Choose patches of an image, as a function of a seed.

    Args:
        seed: decides.
        down: patches from top to bottom.
        across: patches from left to right.
        count: how many are hidden, not more than there are.
        how: each by itself, or blocks of neighbours.

    Returns:
        `[down * across]` bool, exactly `count` of them True.
    """
    source = np.random.Generator(np.random.PCG64(seed))
    if how == "block":
        return _blocks(source, down, across, count).reshape(-1)
    hidden = np.zeros(down * across, bool)
    hidden[source.permutation(down * across)[:count]] = True
    return hidden


def _blocks(source: np.random.Generator, down: int, across: int, count: int) -> np.ndarray:
    """Hide `[down, across]` bool block after block, of the last one no more than is needed.

    Source: Bao et al. 2022, BEiT, algorithm 1: an area of at least 16 patches and at most of what
    is missing, and a ratio of its sides between 0.3 and 1 / 0.3, even in its logarithm.
    """
    hidden = np.zeros((down, across), bool)
    while (missing := count - int(hidden.sum())) > 0:
        area = source.uniform(min(SMALLEST, missing), missing)
        ratio = math.exp(source.uniform(math.log(FLATTEST), -math.log(FLATTEST)))
        height = min(max(round(math.sqrt(area * ratio)), 1), down)
        width = min(max(round(math.sqrt(area / ratio)), 1), across)
        top = int(source.integers(down - height + 1))
        left = int(source.integers(across - width + 1))
        block = np.zeros_like(hidden)
        block[top : top + height, left : left + width] = True
        new = np.flatnonzero(block & ~hidden)[:missing]
        hidden.reshape(-1)[new] = True
    return hidden
