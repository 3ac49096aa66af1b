"""Energy as hardware counts it: of a GPU by NVML, of a processor by RAPL. Nothing is guessed.

Both counters are of the whole device, whoever uses it meanwhile. Power that is sampled instead
misses most of the time on recent GPUs (Yang, Adamek and Armour 2024, SC24).
"""

import ctypes
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import torch

Counter = Callable[[], float]
"""Returns joules since some moment; raises OSError or ValueError where that cannot be read."""

RAPL = Path("/sys/class/powercap")
EVERY = 30.0
"""Seconds between two looks at a counter that begins anew: those of processors do within minutes
at full power."""


def _clock() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Energy:
    """The energy of a device from some moment on.

    Args:
        counter: of the device; None where nothing counts.
    """

    def __init__(self, counter: Counter | None) -> None:
        """Take a counter as it is now."""
        self._counter = counter
        self._done = threading.Event()
        self._before = 0.0
        if counter is None:
            return
        try:
            self._before = counter()
        except (OSError, ValueError):
            self._counter = None
            return
        threading.Thread(target=self._look, daemon=True).start()

    @classmethod
    def begin(cls, device: torch.device) -> Self:
        """Begin to count what a device takes."""
        return cls(gpu_counter(device) if device.type == "cuda" else processor_counter(RAPL))

    def joules(self) -> float | None:
        """Return what was taken; None where nothing counts it, or a counter fell meanwhile."""
        if self._counter is None:
            return None
        try:
            taken = self._counter() - self._before
        except (OSError, ValueError):
            return None
        return taken if taken >= 0 else None

    def close(self) -> None:
        """Look no more."""
        self._done.set()

    def _look(self) -> None:
        while not self._done.wait(EVERY):
            self.joules()


def gpu_counter(device: torch.device) -> Counter | None:
    """Return the counter of an NVIDIA GPU, which counts since its driver was loaded."""
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
        uuid = str(torch.cuda.get_device_properties(device).uuid)
        handle = ctypes.c_void_p()
        name = (uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}").encode()
        if nvml.nvmlInit_v2() or nvml.nvmlDeviceGetHandleByUUID(name, ctypes.byref(handle)):
            return None
        nvml.nvmlDeviceGetTotalEnergyConsumption  # noqa: B018 - drivers of old have none
    except (OSError, AttributeError, RuntimeError):
        return None

    def joules() -> float:
        millijoules = ctypes.c_ulonglong()
        if nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules)):
            raise OSError("NVML counts no energy of this GPU")
        return millijoules.value / 1000

    return joules


def processor_counter(folder: Path) -> Counter | None:
    """Return the counter of all packages of processors; None where it may not be read.

    What counts the whole platform stands beside them, and holds them once more.

    Args:
        folder: where Linux shows them.
    """
    try:
        packages = [
            Package(name.parent)
            for name in sorted(folder.glob("intel-rapl:*/name"))
            if name.read_text("ascii").startswith("package")
        ]
        for package in packages:
            package.joules()
    except (OSError, ValueError):
        return None
    return (lambda: sum(package.joules() for package in packages)) if packages else None


MOST_POWER = 1000.0
"""Watts that no package of processors takes: before that, no round of its counter is missed."""


class Package:
    """A package of processors, whose counter begins anew at its end.

    Args:
        path: its folder.
        clock: seconds, in which a machine that sleeps goes on.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = _clock) -> None:
        """Read nothing yet."""
        self._path, self._clock = path, clock
        self._last: int | None = None
        self._looked = 0.0
        self._total: int | None = 0
        self._lock = threading.Lock()

    def joules(self) -> float:
        """Return what it took since the first look.

        Raises:
            OSError: if it may not be read.
            ValueError: if two looks were so far apart that a round may have been missed.
        """
        with self._lock:
            now = int((self._path / "energy_uj").read_text("ascii"))
            end = int((self._path / "max_energy_range_uj").read_text("ascii"))
            before, self._looked = self._looked, self._clock()
            if self._last is not None:
                if self._looked - before > end / 1e6 / MOST_POWER:
                    self._total = None
                elif self._total is not None:
                    self._total += (now - self._last) % (end + 1)
            self._last = now
            if self._total is None:
                raise ValueError("a round of the counter may have been missed")
            return self._total / 1e6
