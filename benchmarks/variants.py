"""Ways to run a training step of the two-tower models, and what each one costs."""

import gc
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.plain import Attention, PlainBatch, PlainStep, Size
from benchmarks.workload import (
    MEAN_TOKENS,
    CompiledStep,
    compiled_batch,
    experiment,
    plain_batch,
    training_batch,
    with_bytes,
)
from renaissance.compiler import plan

FREEZE: dict[str, tuple[str, ...]] = {
    "none": (),
    "text": ("text",),
    "vision": ("vision",),
    "both": ("text", "vision"),
}
Work = Literal["plain", "training"]
Name = Literal["fp32", "bf16", "fp16"]
NAMES: dict[torch.dtype, Name] = {
    torch.float32: "fp32",
    torch.bfloat16: "bf16",
    torch.float16: "fp16",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to run a step.

    Attributes:
        ours: the project's step, or that of transformers' modules.
        attention: of the latter.
        freeze: which towers do not learn, a key of `FREEZE`.
        compiled: whether layers run through torch.compile.
        cached: whether features of frozen towers are read from disk.
        clip: largest norm of the gradient; None for no clipping.
        work: `plain` shows each caption once with an image, as the step of transformers' modules
            does; `training` with its own and another one, as training does.
    """

    ours: bool = True
    attention: Attention = "default"
    freeze: str = "none"
    compiled: bool = False
    cached: bool = False
    clip: float | None = None
    work: Work = "plain"

    @property
    def name(self) -> str:
        """What a table calls it."""
        first = "ours" if self.ours else f"plain, {self.attention} attention"
        words = [
            first,
            f"{self.freeze} frozen" if self.freeze != "none" else "",
            "compiled" if self.compiled else "",
            "cached" if self.cached else "",
            "as training" if self.work == "training" else "",
        ]
        return ", ".join(word for word in words if word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """On what a step runs.

    Attributes:
        size: dimensions of the model.
        rows: captions of a batch.
        device: where.
        precision: of the forward and backward pass.
    """

    size: Size
    rows: int
    device: torch.device
    precision: torch.dtype


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a step costs.

    Attributes:
        variant, size, batch: what ran.
        seconds: of a step, median of steps without a pause between them.
        slowest: the slowest of them, seconds.
        texts_per_second: captions of the batch over the mean.
        loss: of the last step.
        tflop: of a step: planned for ours at training's work, else counted where torch counts.
        utilisation: of the peak of a device that is given, in products.
        peak_gib: memory that tensors took at most; None on a CPU.
        planned_gib: what `plan` says of it; None where it plans other work.
        first_seconds: until the first step was done, compilation included.
    """

    variant: str
    size: str
    batch: int
    seconds: float
    slowest: float
    texts_per_second: float
    loss: float
    tflop: float | None
    utilisation: float | None
    peak_gib: float | None
    planned_gib: float | None
    first_seconds: float


def on_device(batch: PlainBatch, device: torch.device) -> PlainBatch:
    """Return the same batch on a device."""
    return PlainBatch(**{name: getattr(batch, name).to(device) for name in batch.__slots__})


def prepared(variant: Variant, setting: Setting, folder: Path) -> Callable[[], Tensor]:
    """Return a function that runs a step and returns its loss, without waiting for it.

    Args:
        variant: how.
        setting: on what; the batch lies on the device already.
        folder: for kept features.
    """
    batch = plain_batch(setting.size, setting.rows)
    frozen = FREEZE[variant.freeze]
    if not variant.ours:
        plain = PlainStep(
            setting.size,
            frozenset(frozen),
            precision=setting.precision,
            attention=variant.attention,
            clip=variant.clip,
        )
        plain.model.to(setting.device)
        padded = on_device(batch, setting.device)
        return lambda: plain.step(padded)
    ours = CompiledStep(
        setting.size,
        frozen,
        device=setting.device,
        precision=setting.precision,
        compiled=variant.compiled,
        clip=variant.clip,
    )
    compact = training_batch(batch) if variant.work == "training" else compiled_batch(batch)
    if not variant.cached:
        moved = (with_bytes(compact) if variant.work == "training" else compact).to(setting.device)
        return lambda: ours.step(moved)
    compact = compact.to(setting.device)
    read = ours.keep_features(compact, folder)
    return lambda: ours.step(read().to(setting.device))


def times(step: Callable[[], object], device: torch.device, steps: int) -> list[float]:
    """Return the seconds of each of several steps; nothing waits for the device between them."""
    if device.type != "cuda":
        found = []
        for _ in range(steps):
            start = time.perf_counter()
            step()
            found.append(time.perf_counter() - start)
        return found
    events = [torch.cuda.Event(enable_timing=True) for _ in range(steps + 1)]
    events[0].record()
    for event in events[1:]:
        step()
        event.record()
    torch.cuda.synchronize()
    return [1e-3 * events[i].elapsed_time(events[i + 1]) for i in range(steps)]


def cost(
    variant: Variant,
    setting: Setting,
    folder: Path,
    *,
    warm_ups: int = 4,
    steps: int = 10,
    peak: float | None = None,
) -> Cost:
    """Run a step a few times and return what it costs.

    Args:
        variant: how.
        setting: on what.
        folder: for kept features.
        warm_ups: steps that do not count, at least one.
        steps: that are timed.
        peak: of products of the device, FLOP/s; None for no utilisation.
    """
    device = setting.device
    _forget(device)
    began = time.perf_counter()
    step = prepared(variant, setting, folder)
    step().item()
    first = time.perf_counter() - began
    for _ in range(warm_ups - 1):
        step()
    found = times(step, device, steps)
    loss = step().item()
    memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    planned_flop, planned_peak = _planned(variant, setting)
    flop = planned_flop or (None if variant.ours else _counted(step))
    del step
    _forget(device)
    mean = statistics.fmean(found)
    if not math.isfinite(loss):
        raise ArithmeticError(f"the loss is {loss}")
    return Cost(
        variant=variant.name,
        size=setting.size.name,
        batch=setting.rows,
        seconds=statistics.median(found),
        slowest=max(found),
        texts_per_second=setting.rows / mean,
        loss=loss,
        tflop=None if flop is None else flop / 1e12,
        utilisation=None if flop is None or peak is None else flop / mean / peak,
        peak_gib=None if memory is None else memory / 2**30,
        planned_gib=None if planned_peak is None else planned_peak / 2**30,
        first_seconds=first,
    )


def _planned(variant: Variant, setting: Setting) -> tuple[float | None, int | None]:
    """Return floating-point operations and peak memory of a step as `plan` has them."""
    if not variant.ours or variant.cached or variant.work != "training":
        return None, None
    return _plan_of(setting, variant.freeze)


@cache
def _plan_of(setting: Setting, frozen: str) -> tuple[float, int]:
    spec = experiment(
        setting.size, FREEZE[frozen], batch=setting.rows, precision=NAMES[setting.precision]
    )
    device: Literal["cpu", "cuda"] = "cuda" if setting.device.type == "cuda" else "cpu"
    [stage] = plan(spec, tokens=MEAN_TOKENS, device=device).jobs[0].stages
    return stage.flops_per_sample.training * setting.rows, stage.memory.peak


def _counted(step: Callable[[], object]) -> float:
    with FlopCounterMode(display=False) as counter:
        step()
    return float(counter.get_total_flops())


def _forget(device: torch.device) -> None:
    """Give back what is no longer held, and start to count memory anew."""
    torch._dynamo.reset()
    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
