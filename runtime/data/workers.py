"""How many processes read data, and how such a process begins."""

import atexit
import ctypes
import os
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal, TypeVar

import torch
from torch.utils.data import DataLoader

from renaissance.runtime.machine import cores
from renaissance.runtime.signals import STOPPING

MOST = 16
"""Processes that one training process has at most where it may choose."""
AHEAD = 2
"""Steps that each of them prepares before they are asked for."""
SHARED_MEMORY = "/dev/shm"
SHARE = 0.8
"""Share of the free shared memory that batches may take."""
PR_SET_PDEATHSIG = 1

Item = TypeVar("Item")
_running: set[BaseProcess] = set()


def workers_of(
    wanted: int | Literal["auto"], device: torch.device, processes: int, step_bytes: int
) -> int:
    """Return how many processes read data for one training process.

    Args:
        wanted: as in the spec. `auto` is none on a CPU, where they would take cores from the
            model, and on a GPU one a core, but one core for training and no more than 16 or than
            shared memory has room for.
        device: that the model is on.
        processes: training processes on this machine.
        step_bytes: size of the batches of a step.
    """
    if wanted != "auto":
        return wanted
    if device.type != "cuda":
        return 0
    room = _free_shared_memory() * SHARE / processes
    return max(min(cores() // processes - 1, MOST, int(room // (AHEAD * step_bytes))), 0)


def begin_worker(parent: int) -> None:
    """Make a process that reads data one that ends with its parent, and not before.

    Args:
        parent: number of the training process.
    """
    # The parent still needs it to finish when their group is interrupted.
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def begun(loader: DataLoader[Item]) -> tuple[Iterator[Item], list[BaseProcess]]:
    """Start to read, and return what is read and the processes that do so; `end` ends them."""
    before = set(active_children())
    items = iter(loader)
    processes = [child for child in active_children() if child not in before]
    if processes and not _running:
        atexit.register(_end_all)
    _running.update(processes)
    return items, processes


def end(items: Iterator[object], processes: Sequence[BaseProcess]) -> None:
    """Let the processes of a loader end, and kill those that do not.

    They take no notice of the signal that usually ends them, and one that hangs in a read would be
    waited for without end.
    """
    # Not when the loader is collected: until it has done this, torch takes one that ends for lost.
    let_go = getattr(items, "_shutdown_workers", None)
    if let_go is not None:
        let_go()
    _kill(processes)


def _kill(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        if process.is_alive():
            process.kill()
    _running.difference_update(processes)


def _end_all() -> None:
    if _running and threading.current_thread() is threading.main_thread():
        # torch would take them for lost.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _kill(tuple(_running))


def allow_many_files() -> None:
    """Let this process open as many files as it may: a tensor on its way to another is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _free_shared_memory() -> float:
    return shutil.disk_usage(SHARED_MEMORY).free if Path(SHARED_MEMORY).is_dir() else float("inf")
