"""Whether two image files are copies: both show the same, whatever they are called."""

import hashlib
import os
from functools import lru_cache

from renaissance.runtime.regular_file import regular_file

REMEMBERED = 2**16
"""Files whose digests are kept; only those are read that are as long as another one."""


def are_copies(path: str, other: str) -> bool:
    """Return whether two paths lead to one file, or to files with the same bytes.

    What cannot be read is no copy of anything.
    """
    try:
        one, two = os.stat(path), os.stat(other)  # noqa: PTH116, twice as fast as Path's
        if one.st_size != two.st_size:
            return False
        if os.path.samestat(one, two):
            return True
        return _digest(path, one.st_mtime_ns, one.st_size) == _digest(
            other, two.st_mtime_ns, two.st_size
        )
    except (OSError, ValueError):
        return False


@lru_cache(maxsize=REMEMBERED)
def _digest(path: str, changed: int, size: int) -> bytes:
    with regular_file(path) as file:
        return hashlib.file_digest(file, "blake2b").digest()
