"""Measures what a machine can do at most: products, copies, launches."""

import os
import platform
import time
from collections.abc import Callable
from tempfile import NamedTemporaryFile

import torch

from renaissance.compiler.errors import CompileError
from renaissance.compiler.planning.machines import Bench, Device, Precision

_TYPES: dict[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
_SIDES = {"cpu": 1024, "cuda": 8192}
"""Width and height of the matrices that are multiplied."""

_COPIED = {"cpu": 2**26, "cuda": 2**30}
"""Bytes that are copied: more than caches hold."""

_WRITTEN = 2**26
"""Bytes that are written to a disk."""

_SECONDS = 2.0
"""Time given to each figure; the best run counts, since what is sought is a ceiling."""


def measure(name: str | None) -> Bench:
    """Measure a device for less than a minute.

    Args:
        name: such as `cpu` or `cuda`; a GPU if there is one, where None.

    Raises:
        CompileError: if there is no such device.
    """
    kind = (name or ("cuda" if torch.cuda.is_available() else "cpu")).partition(":")[0]
    if kind not in _SIDES:
        raise CompileError(f"`{name}` is no device that can be measured; there are cpu and cuda")
    if kind == "cuda" and not torch.cuda.is_available():
        raise CompileError("no GPU that torch can use was found; use --device cpu")
    device = torch.device(name or kind)
    side = _SIDES[kind]
    products = {}
    for precision, type in _TYPES.items():
        matrix = torch.randn(side, side, device=device).to(type)
        products[precision] = 2 * side**3 / _best(lambda m=matrix: m @ m, device)  # type: ignore[misc]
    source = torch.ones(_COPIED[kind] // 4, device=device)
    target = torch.empty_like(source)
    bandwidth = 2 * _COPIED[kind] / _best(lambda: target.copy_(source), device)
    return Bench(
        name=_name(device),
        device=_device(kind),
        threads=torch.get_num_threads() if kind == "cpu" else None,
        torch=torch.__version__,
        products=products,
        bandwidth=bandwidth,
        memory=memory_of_device(device),
        written=_written(),
        launch=_launch(device),
    )


def _best(run: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of the fastest run."""
    run()
    best, end = float("inf"), time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        _wait(device)
        start = time.perf_counter()
        run()
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return best


def _written() -> float | None:
    """Return the bytes a second that the disk of temporary files keeps; None if it takes none."""
    data = os.urandom(_WRITTEN)
    try:
        with NamedTemporaryFile() as file:

            def write() -> None:
                file.seek(0)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())

            return len(data) / _best(write, torch.device("cpu"))
    except OSError:
        return None


def _launch(device: torch.device) -> float:
    """Return the seconds of an operation on one number, of many without waiting between them."""
    number, count = torch.zeros(1, device=device), 1000

    def many() -> None:
        for _ in range(count):
            number.add_(1)

    return _best(many, device) / count


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine() or "CPU"


def memory_of_device(device: torch.device) -> int | None:
    """Return the bytes that a device has; None if nobody says."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _device(kind: str) -> Device:
    return "cuda" if kind == "cuda" else "cpu"
