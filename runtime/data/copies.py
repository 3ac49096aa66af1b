"""Whether two image files are copies: both show the same, whatever they are called."""

import hashlib
import os
from functools import lru_cache

import numpy as np

from renaissance.runtime.data.table import Table
from renaissance.runtime.regular_file import regular_file

REMEMBERED = 2**16
"""Files whose digests are kept; only those are read that are as long as another one."""


class Copies:
    """Which images of a table are copies of each other, found out where somebody asks.

    What was found is kept: files are taken to stay the same in a job.
    """

    def __init__(self, table: Table) -> None:
        """Know of none yet."""
        self._table = table
        # 1 + one of the copies of an image, the same one for all of them; 0 where none is known.
        self._one_of = np.zeros(len(table.images), np.int32)

    def are(self, images: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return which images `[n, k]` int64 are copies of others, `[n, k]` bool."""
        pairs = zip(np.ravel(images).tolist(), np.ravel(others).tolist(), strict=True)
        return np.array([self.of(*pair) for pair in pairs], bool).reshape(np.shape(others))

    def of(self, image: int, other: int) -> bool:
        """Return whether one image is a copy of another one."""
        known = self._one_of
        if known[image] and known[image] == known[other]:
            return True
        if not are_copies(self._table.path(image), self._table.path(other)):
            return False
        if known[image] and known[other]:
            known[known == known[other]] = known[image]
        else:
            known[[image, other]] = known[image] or known[other] or image + 1
        return True

    def without_known(self, image: int, others: np.ndarray) -> np.ndarray:
        """Leave out what is known to be a copy of an image of others `[n]` int64."""
        mine = self._one_of[image]
        return others if mine == 0 else others[self._one_of[others] != mine]


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
