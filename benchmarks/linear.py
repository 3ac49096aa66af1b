"""Linear maps on a CPU in float32: torch's own, which MKL computes, and by oneDNN.

    python -m benchmarks.linear [--repeats 21] [--json FILE]

Both run in turn on the same tensors, forward alone and with the backward pass; the ratio is the
median of the first's times over the median of the second's.
"""

import argparse
import json
import math
import statistics
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F

from benchmarks.step import about, in_turn
from renaissance.compiler.lowering.linear import MINIMAL_WORK, linear

SHAPES = (
    (188, 768, 768),
    (188, 768, 3072),
    (188, 3072, 768),
    (3152, 192, 576),
    (3152, 192, 768),
    (3152, 768, 192),
    (3152, 768, 2304),
    (3152, 768, 3072),
    (3152, 3072, 768),
    (6304, 256, 256),
    (6304, 256, 1024),
    (6304, 1024, 256),
)
"""Tokens, channels in, channels out: the maps of ELECTRA-base over 16 short texts, of DeiT-tiny and
ViT-B over 16 images, and of co-attention of width 256 over 32."""


def ratio(one: Callable[[], float], other: Callable[[], float], repeats: int) -> float:
    """Return how many times as fast the other is, both run in turn."""
    times = in_turn(one, other, repeats)
    return statistics.median(a for a, _ in times) / statistics.median(b for _, b in times)


def measured(shape: tuple[int, int, int], repeats: int) -> tuple[float, float]:
    """Return the ratio of forward passes, and that of forward and backward passes."""
    rows, width, out = shape
    tokens, gradient = torch.randn(rows, width), torch.randn(rows, out)
    weight, bias = torch.randn(out, width), torch.randn(out)
    learning = [part.clone().requires_grad_() for part in (tokens, weight, bias)]

    def forward(mapping: Callable[..., torch.Tensor]) -> float:
        return mapping(tokens, weight, bias)[0, 0].item()

    def both(mapping: Callable[..., torch.Tensor]) -> float:
        return torch.autograd.grad(mapping(*learning), learning, gradient)[0][0, 0].item()

    return (
        ratio(lambda: forward(F.linear), lambda: forward(linear), repeats),
        ratio(lambda: both(F.linear), lambda: both(linear), repeats),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    for shape in SHAPES:
        assert math.prod(shape) >= MINIMAL_WORK
        forward, both = measured(shape, options.repeats)
        rows.append({"shape": shape, "forward": round(forward, 2), "both": round(both, 2)})
        print(f"{shape}: forward x {forward:.2f}, with backward x {both:.2f}", flush=True)
    if options.json:
        result = {"about": about(torch.device("cpu")), "rows": rows}
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
