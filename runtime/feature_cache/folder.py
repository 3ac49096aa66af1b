"""The folder of all features: one folder a tower inside, a lock for whoever writes, a limit.

Readers take no lock. Writers take turns; a folder whose tower is in use is never removed.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "lock"
IN_USE = "in-use"


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Hold the lock of all writers; the operating system takes it from a process that dies.

    Raises:
        OSError: if the folder cannot be written to.
    """
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def use(root: Path, key: str) -> int:
    """Make the folder of a tower if there is none, and protect it from removal.

    Returns:
        A descriptor; closing it ends the protection.

    Raises:
        OSError: if the folder cannot be made.
    """
    with writing(root):
        (root / key).mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(root / key / IN_USE, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        os.utime(descriptor)
    return descriptor


def used_bytes(root: Path) -> int:
    """Return the size of everything in the folder."""
    return sum(_size(path) for path in root.glob("**/*"))


def remove_oldest(root: Path, own: str) -> bool:
    """Remove the folder of the tower that was used longest ago; the caller holds the lock.

    Args:
        root: folder of all features.
        own: key of a tower that stays.

    Returns:
        False if all other towers are in use.
    """
    marks = [path for path in root.glob(f"*/{IN_USE}") if path.parent.name != own]
    for mark in sorted(marks, key=lambda path: path.stat().st_mtime_ns):
        descriptor = os.open(mark, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(mark.parent)
            return True
        finally:
            os.close(descriptor)
    return False


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0
