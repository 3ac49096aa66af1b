"""Who works in a run folder: one process, and those that it starts."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from renaissance.runtime.errors import BusyError
from renaissance.runtime.observer import Tell

LOCK = ".lock"
_OF_THIS_PROCESS: set[int] = set()
"""Descriptors of locks."""


@contextmanager
def held(folder: Path, warn: Tell = lambda _: None, *, name: str = LOCK) -> Iterator[None]:
    """Keep other processes out of a run folder.

    Args:
        folder: of the run; created if absent.
        warn: is told if the file system has no locks, as some that are shared over a network.
        name: of the file that is locked.

    Raises:
        BusyError: if one is at work in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"another process is at work in `{folder}`") from None
        except OSError as problem:
            warn(
                f"`{folder}` is on a file system without locks ({problem.strerror}): make sure "
                "that no other process works in it"
            )
        try:
            with _let_go_by_children(lock.fileno()):
                yield
        finally:
            # A child that was forked and has not run yet still has it open.
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_UN)


@contextmanager
def _let_go_by_children(descriptor: int) -> Iterator[None]:
    """Close a descriptor in every process that is forked meanwhile: a lock lasts as long as any."""
    _OF_THIS_PROCESS.add(descriptor)
    try:
        yield
    finally:
        _OF_THIS_PROCESS.discard(descriptor)


def _close_those_of_parent() -> None:
    while _OF_THIS_PROCESS:
        os.close(_OF_THIS_PROCESS.pop())


os.register_at_fork(after_in_child=_close_those_of_parent)
