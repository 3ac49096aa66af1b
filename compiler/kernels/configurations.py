"""Tile sizes, warps and pipeline stages, stored per architecture and chosen by shape."""

from dataclasses import dataclass
from typing import Literal

import torch

Kernel = Literal[
    "forward", "query_gradient", "key_gradient", "bias_gradient", "short_forward", "short_backward"
]
SHORT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """How one kernel is cut up.

    Attributes:
        block_m: query rows of a tile.
        block_n: key rows of a tile.
        tail: rows of the small tile that takes a short remainder of the loop.
        warps: warps of a program.
        stages: tiles in flight in the loop's software pipeline.
    """

    block_m: int
    block_n: int
    tail: int
    warps: int
    stages: int
    chunk: int = 128


def choose(
    architecture: str,
    kernel: Kernel,
    *,
    dtype: torch.dtype,
    head_dim: int,
    max_query: int,
    max_key: int,
    dropout: bool,
    bias: bool,
) -> Configuration:
    if kernel.startswith("short"):
        def block(longest: int) -> int:
            return next(size for size in (16, 32, 64) if size >= longest)

        return Configuration(
            block_m=block(max_query), block_n=block(max_key), tail=block(max_key), warps=4, stages=1
        )
    return Configuration(block_m=32, block_n=32, tail=16, warps=4, stages=2)


def is_short(dtype: torch.dtype, head_dim: int, max_query: int, max_key: int) -> bool:
    return max(max_query, max_key) <= SHORT
