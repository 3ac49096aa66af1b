"""What this process may use of its machine: cores and memory, as far as its group allows."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")
UNLIMITED = 2**60
"""Numbers above this mean that there is no limit."""


def cores() -> int:
    """Return the number of cores, 1 at least: those it is pinned to, within its group's quota."""
    pinned = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota()
    return max(min(pinned or 1, pinned or 1 if quota is None else int(quota)), 1)


def free_memory() -> int | None:
    """Return the bytes that are free, within the limits of its group; None if nobody says.

    What the system keeps of files counts as free.
    """
    machine = _of_machine()
    limited = [room for room in (_room(folder) for folder in _groups()) if room is not None]
    return min((*limited, *([] if machine is None else [machine])), default=None)


def _of_machine() -> int | None:
    try:
        lines = MEMINFO.read_text("ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _groups() -> list[Path]:
    """Return the folders of this process's group and of those around it, both versions."""
    try:
        lines = Path("/proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:
        return []
    groups = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root = CGROUP
        elif "memory" in controllers.split(","):
            root = CGROUP / "memory"
        else:
            continue
        # In a container the path may be that outside of it.
        inside = root / path.lstrip("/")
        groups += [folder for folder in (inside, *inside.parents) if folder.is_relative_to(root)]
    return groups


def _room(folder: Path) -> int | None:
    """Return the bytes that a group may still take; None without a limit."""
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        most, now = _number(folder / limit), _number(folder / used)
        if most is None or now is None or most >= UNLIMITED:
            continue
        return max(most - now + _of_files(folder), 0)
    return None


def _of_files(folder: Path) -> int:
    """Return what a group holds of files and gives back when it must."""
    try:
        lines = (folder / "memory.stat").read_text("ascii").splitlines()
    except OSError:
        return 0
    counted = dict(line.split() for line in lines if len(line.split()) == 2)
    name = "total_inactive_file" if "total_inactive_file" in counted else "inactive_file"
    return int(counted.get(name, 0))


def _quota() -> float | None:
    """Return the cores that this process's group may use; None without a limit."""
    quotas = []
    for folder in _groups():
        try:
            most, each = (folder / "cpu.max").read_text("ascii").split()
        except (OSError, ValueError):
            continue
        if most != "max":
            quotas.append(int(most) / int(each))
    first_version = CGROUP / "cpu"
    granted = _number(first_version / "cpu.cfs_quota_us")
    period = _number(first_version / "cpu.cfs_period_us")
    if granted is not None and granted > 0 and period:
        quotas.append(granted / period)
    return min(quotas, default=None)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return None
