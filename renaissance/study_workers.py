"""Several processes that work on one study: started, asked to stop, and replaced where one dies."""

import ctypes
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Collection, Iterator
from pathlib import Path

from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.signals import StopRequest, stop_request
from renaissance.runtime.studies.results import read_results

LOOK = 0.2
"""Seconds between two looks at the processes."""
PR_SET_PDEATHSIG = 1


def work_together(arguments: Namespace, cells: Collection[str], folder: Path) -> None:
    """Let `--jobs` processes work on a study until nothing of it is left to do.

    Args:
        arguments: of `study`.
        cells: names of those that are to be run.
        folder: of the study.

    Raises:
        InterruptionError: if a signal asked to stop; the processes have heard it and ended.
    """
    command = list(_command(arguments, folder))
    with stop_request() as request:
        workers = [_start(command) for _ in range(arguments.jobs)]
        try:
            while workers:
                workers = _after_a_look(workers, command, request, cells, folder)
        finally:
            for worker in workers:
                worker.kill()
        if request.signal:
            raise InterruptionError(
                request.signal, "the study was stopped; run the same command again to go on"
            )


def _after_a_look(
    workers: list[subprocess.Popen[bytes]],
    command: list[str],
    request: StopRequest,
    cells: Collection[str],
    folder: Path,
) -> list[subprocess.Popen[bytes]]:
    """Return the processes that are at work after a while; one that was killed is replaced."""
    time.sleep(LOOK)
    if request.signal:
        for worker in workers:
            worker.send_signal(request.signal)
        for worker in workers:
            worker.wait()
        return []
    there = [worker for worker in workers if worker.poll() is None]
    for worker in workers:
        if worker.poll() is None or worker.returncode >= 0:
            continue
        name = signal.Signals(-worker.returncode).name
        sys.stderr.write(f"a process was ended by {name}; another one takes over what it did\n")
        found = read_results(folder).cells
        if any(cell.state == "waiting" and cell.name in cells for cell in found):
            there.append(_start(command))
    return there


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    # Ctrl-C reaches the first process alone, which hands it on: twice would end them at once.
    return subprocess.Popen(command, start_new_session=True, preexec_fn=_end_with_parent)


def _end_with_parent() -> None:
    """Stop, as a signal asks for it, if the first process is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _command(arguments: Namespace, folder: Path) -> Iterator[str]:
    """Yield the command of one of the processes."""
    yield from (sys.executable, "-m", "renaissance", "study", arguments.file, "--as-worker")
    yield from ("--out", str(folder), "--workers", str(arguments.jobs))
    yield from ("--began", repr(time.time()))
    for setting in arguments.settings:
        yield from ("--set", setting)
    for only in arguments.only:
        yield from ("--only", only)
    for name in ("seeds", "device", "tokens", "gpu", "bench"):
        value = getattr(arguments, name)
        if value is not None:
            yield from (f"--{name}", str(value))
