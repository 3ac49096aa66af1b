"""Where a step waits for the device, and which kernels it spends its time in."""

import gzip
import shutil
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu_parts.results import Options, Results, Values
from benchmarks.plain import SMALL, TINY
from benchmarks.workload import experiment, plain_batch, training_batch, with_bytes
from renaissance.compiler import build, freeze
from renaissance.compiler.step import Objectives, weights_of
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes
from renaissance.runtime.training.measures import Accuracies
from renaissance.runtime.training.optimization import Optimization
from renaissance.runtime.training.step import TrainingStep

KERNELS = 40
LARGEST = 15 * 2**20
"""Bytes of a trace that is kept."""


def run(results: Results) -> None:
    """Look at the same step in both ways."""
    options = results.options
    made: list[Callable[[], None]] = []

    def step() -> Callable[[], None]:
        if not made:
            made.append(training_step(options))
        return made[0]

    results.item("synchronisations", lambda: _synchronisations(step(), options))
    results.item("profile", lambda: _profile(step(), options))


def training_step(options: Options) -> Callable[[], None]:
    """Return the step as a job runs it, on a batch that lies on the CPU, as its batches do."""
    size, rows = (TINY, 4) if options.tiny else (SMALL, 512)
    spec = experiment(size, batch=rows, precision="bf16")
    declared, job = spec.models["two_towers"], spec.training_job("base")
    device = torch.device(options.device)
    processes = Processes(rank=0, ranks=1, device=device)
    model = build(spec, job="base")
    freeze.resolve(model, declared.freeze).apply(model, 0, 1)
    model.to(device).train()
    weights = weights_of(job)
    objectives = Objectives(model, declared, job)
    whole = TrainingStep(
        objectives=objectives,
        optimization=Optimization(model, job.optimizer, {}),
        precision=Precision("bf16", device),
        weights=weights,
        clip=job.clip,
        seed=0,
        processes=processes,
        accuracies=Accuracies(objectives.metrics, processes),
    )
    batch = with_bytes(training_batch(plain_batch(size, rows)))
    if options.cuda:
        batch = batch.pin_memory()
    numbers = iter(range(10**6))
    return lambda: _ignored(whole([batch], step=next(numbers), rate=1e-4, following=batch))


def _ignored(_: object) -> None:
    """Take a result and leave it on the device."""


def _synchronisations(step: Callable[[], None], options: Options) -> Values:
    """Return how often three steps waited for the device, by the place in the code."""
    step()
    if not options.cuda:
        return {"reason": "a CPU is never waited for"}
    torch.cuda.synchronize()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            for _ in range(3):
                step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    places = Counter(
        f"{warning.filename}:{warning.lineno}"
        for warning in caught
        if "synchron" in str(warning.message)
    )
    return {"waits": sum(places.values()), "places": dict(places.most_common(20))}


def _profile(step: Callable[[], None], options: Options) -> Values:
    """Return the kernels that two steps spend most time in; the trace is kept beside."""
    for _ in range(3):
        step()
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if options.cuda else [])
    _wait(options)
    began = time.perf_counter()
    with profile(activities=activities) as profiler:
        for _ in range(2):
            step()
        _wait(options)
    seconds = time.perf_counter() - began
    rows = sorted(profiler.key_averages(), key=lambda row: -_time(row, options))
    busy = sum(_time(row, options) for row in rows if _on_device(row)) / 1e6
    launches = sum(row.count for row in rows if "LaunchKernel" in row.key)
    kernels = [
        {"name": row.key[:160], "calls": row.count, "milliseconds": _time(row, options) / 1e3}
        for row in rows
        if _on_device(row) or not options.cuda
    ]
    return {
        "steps": 2,
        "seconds": seconds,
        "device busy seconds": busy if options.cuda else None,
        "busy share": busy / seconds if options.cuda else None,
        "launches": launches,
        "kernels": kernels[:KERNELS],
        "trace": _kept(profiler, options),
    }


def _wait(options: Options) -> None:
    if options.cuda:
        torch.cuda.synchronize()


def _on_device(row: Any) -> bool:
    return row.device_type != torch.autograd.DeviceType.CPU


def _time(row: Any, options: Options) -> float:
    """Return microseconds in a kernel, or in an operation itself on a CPU."""
    return float(row.self_device_time_total if options.cuda else row.self_cpu_time_total)


def _kept(profiler: Any, options: Options) -> str:
    """Write the trace; return the name of its file, or why there is none."""
    path = options.out / "trace.json"
    profiler.export_chrome_trace(str(path))
    packed = path.with_suffix(".json.gz")
    with path.open("rb") as source, gzip.open(packed, "wb") as sink:
        shutil.copyfileobj(source, sink)
    path.unlink()
    if packed.stat().st_size > LARGEST:
        size = packed.stat().st_size
        packed.unlink()
        return f"left out: {size} bytes"
    return packed.name
