"""Whole training steps, ours and those of transformers' modules: time, memory, share of peak."""

import tempfile
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.gpu_parts.results import Options, Results, Values
from benchmarks.plain import BASE, SMALL, TINY, Size
from benchmarks.variants import Setting, Variant, cost
from renaissance.compiler.planning.machines import GPUS

PLAIN = Variant(ours=False, clip=1.0)
PLAIN_SDPA = Variant(ours=False, attention="sdpa", clip=1.0)
OURS = Variant(clip=1.0)
COMPILED = Variant(compiled=True, clip=1.0)
TRAINING = Variant(clip=1.0, work="training")
TRAINING_COMPILED = Variant(compiled=True, clip=1.0, work="training")
FROZEN = Variant(freeze="both", clip=1.0, work="training")
CACHED = Variant(freeze="both", cached=True, clip=1.0, work="training")

WANTED: tuple[tuple[Size, int, Variant], ...] = (
    (SMALL, 512, TRAINING),
    (SMALL, 256, PLAIN),
    (SMALL, 256, OURS),
    (BASE, 256, TRAINING),
    (SMALL, 512, FROZEN),
    (SMALL, 512, CACHED),
    (BASE, 128, PLAIN),
    (BASE, 128, OURS),
    (SMALL, 512, TRAINING_COMPILED),
    (BASE, 256, FROZEN),
    (SMALL, 256, PLAIN_SDPA),
    (SMALL, 256, COMPILED),
    (BASE, 256, TRAINING_COMPILED),
    (BASE, 128, PLAIN_SDPA),
    (SMALL, 64, TRAINING),
)
"""Most valuable first; what makes others wait for a compiler comes late."""


def run(results: Results) -> None:
    """Run each step."""
    options = results.options
    peak = peak_of(options)
    tiny = [(TINY, 4, variant) for _, _, variant in WANTED if not variant.compiled]
    for size, rows, variant in dict.fromkeys(tiny) if options.tiny else WANTED:
        name = f"{size.name}, batch {rows}: {variant.name}"
        results.item(name, lambda s=size, r=rows, v=variant: _cost(s, r, v, options, peak))


def peak_of(options: Options) -> float | None:
    """Return the published peak of this GPU, FLOP/s in bfloat16; None for others."""
    if not options.cuda:
        return None
    name = torch.cuda.get_device_name().lower()
    known = [machine.bf16 for key, machine in GPUS.items() if key in name]
    return known[0] if known else None


def _cost(size: Size, rows: int, variant: Variant, options: Options, peak: float | None) -> Values:
    setting = Setting(
        size=size, rows=rows, device=torch.device(options.device), precision=torch.bfloat16
    )
    counts = {"warm_ups": 1, "steps": 1} if options.tiny else {"warm_ups": 4, "steps": 10}
    with tempfile.TemporaryDirectory() as folder:
        return asdict(cost(variant, setting, Path(folder), peak=peak, **counts))
