"""Opening files of which somebody else said that they are there."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader

from renaissance.compiler.amounts import gibibytes

LARGEST = 2**30
"""Bytes above which a file is taken for no image."""


class IrregularFileError(OSError):
    """What is no file to be read; the message says what it is instead."""


@contextmanager
def regular_file(path: str, largest: int = LARGEST) -> Iterator[BufferedReader]:
    """Open a regular file; nothing else, such as a pipe that nobody writes to, is waited for.

    Args:
        path: of the file.
        largest: most bytes that it may have.

    Raises:
        IrregularFileError: if it is something else, or larger.
        OSError: if it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IrregularFileError("a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise IrregularFileError("no regular file")
        if status.st_size > largest:
            raise IrregularFileError(f"too large: a file of {gibibytes(status.st_size)}")
        file = os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
    with file:
        yield file
