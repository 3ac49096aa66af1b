"""What the machine is, and what it does at most: products, copies, launches, transfers."""

import os
import platform
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from benchmarks.gpu_parts.results import Options, Results, Values
from benchmarks.timing import eager_milliseconds, graph_milliseconds

PACKAGES = ("torch", "triton", "transformers", "timm", "torchvision", "numpy", "datasets")
QUERY = (
    "name,driver_version,compute_mode,mig.mode.current,memory.total,memory.used,power.limit,"
    "clocks.sm,clocks.max.sm,clocks.mem,temperature.gpu,pcie.link.gen.current,"
    "pcie.link.width.current"
)
BATCHES = {"77 MB": 77 * 10**6, "308 MB": 308 * 10**6}
"""A batch of 512 images of 224 pixels as bytes, and as float32."""


def run(results: Results) -> None:
    """Measure each ceiling."""
    options = results.options
    results.item("versions", _versions)
    results.item("machine", _machine)
    for dtype in (torch.bfloat16, torch.float16, torch.float32):
        name = str(dtype).removeprefix("torch.")
        results.item(f"product {name}", lambda d=dtype: _product(d, options))
    results.item("copy", lambda: _copy(options))
    results.item("launch", lambda: _launch(options))
    for name, size in BATCHES.items():
        results.item(f"host to device {name}", lambda s=size: _transfer(s, options))


def _versions() -> Values:
    found: Values = {"python": platform.python_version(), "cuda": torch.version.cuda}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _machine() -> Values:
    found: Values = {
        "cores": len(os.sched_getaffinity(0)),
        "memory GiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "shared memory GiB": round(shutil.disk_usage("/dev/shm").total / 2**30, 1),
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
        found["gpus"] = torch.cuda.device_count()
        found["gpu memory GiB"] = torch.cuda.get_device_properties(0).total_memory / 2**30
        found["capability"] = ".".join(map(str, torch.cuda.get_device_capability()))
    if shutil.which("nvidia-smi"):
        command = ["nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        answers = [word.strip() for word in done.stdout.strip().split(",")]
        found["nvidia-smi"] = dict(zip(QUERY.split(","), answers, strict=False))
    return found


def _product(dtype: torch.dtype, options: Options) -> Values:
    size = 128 if options.tiny else 8192
    left, right = (torch.randn(size, size, device=options.device).to(dtype) for _ in range(2))
    took = eager_milliseconds(lambda: left @ right, options.device, 20)
    return {"side": size, "tflops": 2 * size**3 / took / 1e9}


def _copy(options: Options) -> Values:
    size = 2**20 if options.tiny else 2**31
    source = torch.ones(size, dtype=torch.uint8, device=options.device)
    target = torch.empty_like(source)
    took = eager_milliseconds(lambda: target.copy_(source), options.device, 10)
    return {"bytes": 2 * size, "gigabytes a second": 2 * size / took / 1e6}


def _launch(options: Options) -> Values:
    """Return microseconds of the smallest operations, as Python launches them and in a graph."""
    number = torch.zeros(1, device=options.device)
    calls: dict[str, Callable[[], object]] = {"torch": lambda: number.add_(1)}
    if options.cuda:
        from benchmarks.gpu_parts.kernel import empty_kernel

        calls["triton"] = lambda: empty_kernel[(1,)](number)
    found: Values = {}
    for name, call in calls.items():
        found[f"{name} microseconds"] = 1e3 * eager_milliseconds(call, options.device, 1000)
        if options.cuda:
            found[f"{name} in a graph microseconds"] = 1e3 * graph_milliseconds(call, 1000)
    return found


def _transfer(size: int, options: Options) -> Values:
    """Return the rate of copies from pageable and from pinned memory, and of pinning itself."""
    if not options.cuda:
        return {"reason": "there is no other device"}
    target = torch.empty(size, dtype=torch.uint8, device=options.device)
    pageable = torch.ones(size, dtype=torch.uint8)
    began = time.perf_counter()
    pinned = pageable.pin_memory()
    took = time.perf_counter() - began
    return {
        "pageable gigabytes a second": size / _seconds(target, pageable) / 1e9,
        "pinned gigabytes a second": size / _seconds(target, pinned) / 1e9,
        "pinning seconds": took,
    }


def _seconds(target: Any, source: Any) -> float:
    found = []
    for _ in range(6):
        began = time.perf_counter()
        target.copy_(source, non_blocking=True)
        torch.cuda.synchronize()
        found.append(time.perf_counter() - began)
    return statistics.median(found[1:])
