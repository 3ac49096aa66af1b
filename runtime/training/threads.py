"""How many threads a job computes with on a CPU: as many as its operations keep busy.

Threads start and meet again at every operation. Where an operation is small, more of them gain
nothing, and where other processes want the cores, each meeting waits for the last one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn

from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.tower import Tower

SHARE = 2**25
"""Multiply-adds that are worth a thread: about a millisecond of one core."""

PATCH = 16
"""Supposed where only a library knows its patches."""


@contextmanager
def own_threads() -> Iterator[None]:
    """Let torch compute with as many threads afterwards as before."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fit_threads(model: VisionLanguageModel, texts: int) -> None:
    """Let torch use fewer threads for a model whose operations are small.

    The number follows from the spec and the machine alone, so that a run repeats bit for bit. It
    stays as it is where `OMP_NUM_THREADS` is set, or where torch was told another number than the
    one it starts with.

    Args:
        model: of the job.
        texts: texts of a pass of this process.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    now = torch.get_num_threads()
    # Torch starts with one thread for each core, or for each two that share a core.
    if "OMP_NUM_THREADS" in os.environ or now not in (cores, (cores or 1) // 2):
        return
    torch.set_num_threads(max(1, min(now, largest_product(model, texts) // SHARE)))


def largest_product(model: VisionLanguageModel, texts: int) -> int:
    """Return the multiply-adds of the largest linear map of one pass, heads left out.

    Args:
        model: as built.
        texts: texts of a pass, each with an image of its own.
    """
    longest = 0
    products = [0]
    for stream in model.streams.values():
        facts = cast(Tower, stream).facts
        size = facts.image_size or 0
        patch = size // facts.grid if facts.grid else PATCH
        height, width = facts.largest
        patches = (height // patch) * (width // patch)
        tokens = facts.max_tokens or facts.regions or facts.prefix_tokens + patches
        longest = max(longest, tokens)
        products.append(texts * tokens * _largest_map(stream))
    products.append(texts * longest * _largest_map(model.fusion))
    return max(products)


def _largest_map(part: nn.Module) -> int:
    """Return how many weights the largest linear map of a part has."""
    return max((m.weight.numel() for m in part.modules() if isinstance(m, nn.Linear)), default=0)
