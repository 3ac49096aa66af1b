"""What a stage takes: time, memory, energy and bytes, where this machine counts them."""

import gc
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch

from renaissance.runtime.studies.energy import Energy
from renaissance.runtime.studies.records import Costs

_SELF = Path("/proc/self")


class Meter:
    """Counts from the moment it is made on.

    Args:
        device: that computes.
    """

    def __init__(self, device: torch.device) -> None:
        """Begin to count."""
        gc.collect()
        self._device = device
        self._peak = _Peak.begin()
        self._held = _memory("VmRSS")
        self._began, self._cpu, self._read = time.monotonic(), _cpu_seconds(), _bytes_read()
        self._energy = Energy.begin(device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    def read(self) -> Costs:
        """Return what was taken so far, without operations."""
        cpu, read, on_gpu = _cpu_seconds(), _bytes_read(), self._device.type == "cuda"
        return Costs(
            seconds=time.monotonic() - self._began,
            cpu_seconds=cpu - self._cpu,
            peak_memory=self._peak.read(),
            memory_before=self._held,
            peak_device_memory=torch.cuda.max_memory_allocated(self._device) if on_gpu else None,
            energy=self._energy.joules(),
            bytes_read=None if read is None or self._read is None else read - self._read,
        )

    def close(self) -> None:
        """Stop counting energy."""
        self._energy.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Peak:
    """The most memory of this process, as Linux keeps it.

    Attributes:
        before: bytes that were the most before, where that could not be forgotten.
    """

    before: int

    @classmethod
    def begin(cls) -> Self:
        try:
            (_SELF / "clear_refs").write_text("5")  # forgets the peak and nothing else
        except OSError:
            return cls(before=_memory("VmHWM") or 0)
        return cls(before=0)

    def read(self) -> int | None:
        """Return the peak; None where an earlier one was higher and cannot be forgotten."""
        most = _memory("VmHWM")
        return None if most is None or most <= self.before else most


def _memory(name: str) -> int | None:
    """Return bytes of this process: `VmRSS` that it has now, or `VmHWM`, the most that it had."""
    try:
        lines = (_SELF / "status").read_text("ascii", "replace").splitlines()
        [line] = [line for line in lines if line.startswith(f"{name}:")]
        return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None


def _cpu_seconds() -> float:
    own, theirs = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


def _bytes_read() -> int | None:
    """Return the bytes that this process, and those that it has waited for, read from disks."""
    try:
        lines = (_SELF / "io").read_text("ascii").splitlines()
        return int(dict(line.split(": ", 1) for line in lines)["read_bytes"])
    except (OSError, ValueError, LookupError):
        return None
