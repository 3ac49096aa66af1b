"""Which images of one table are images of another: by what sets call them, by path, by content."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from renaissance.runtime.data.identity import Names, names_of
from renaissance.runtime.data.real_paths import real_paths
from renaissance.runtime.data.table import NAMESPACES, Table

KEYS = (*NAMESPACES, "path", "digest")
"""By what an image is found to be one of another table, strongest first."""
NOT_FOUND = -1


class Photographs:
    """Images of a table, texts that have none left aside."""

    def __init__(self, table: Table, images: np.ndarray | None = None) -> None:
        """Look at nothing yet.

        Args:
            table: whose images these are.
            images: `[n]` int64, their numbers; those of all texts if None.
        """
        chosen = np.unique(table.images_of_row) if images is None else images
        paths = table.images.data.column("path").take(pa.array(chosen)).to_pylist()
        self.table = table
        self.numbers = chosen[[bool(path) for path in paths]]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.numbers)

    @cached_property
    def names(self) -> dict[str, pa.Array]:
        """What sets call each, by namespace."""
        rows = pa.array(self.numbers)
        return {space: names.take(rows) for space, names in self._all_names.of.items()}

    @cached_property
    def known(self) -> np.ndarray:
        """`[n]` int64: a bit for each namespace of which it is known whether it has an image."""
        bits = np.zeros(len(self), np.int64)
        for place, space in enumerate(NAMESPACES):
            bits |= self._all_names.known[space][self.numbers].astype(np.int64) << place
        return bits

    @cached_property
    def paths(self) -> list[str]:
        """The file of each, however its path is spelled."""
        found = self.table.images.data.column("path").take(pa.array(self.numbers))
        return real_paths(found.to_pylist())

    def size(self, place: int) -> int | None:
        """Return the bytes of a file; None where it cannot be read."""
        file = self._file(place)
        if isinstance(file, bytes):
            return len(file)
        try:
            return os.stat(file).st_size  # noqa: PTH116
        except (OSError, ValueError):
            return None

    def digest(self, place: int) -> bytes | None:
        """Return the digest of a file; None where it cannot be read."""
        file = self._file(place)
        try:
            content = file if isinstance(file, bytes) else Path(file).read_bytes()
        except (OSError, ValueError):
            return None
        return xxhash.xxh3_128_digest(content)

    @cached_property
    def _all_names(self) -> Names:
        return names_of(self.table)

    def _file(self, place: int) -> str | bytes:
        return self.table.file(int(self.numbers[place]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Which of some images are among others.

    Attributes:
        numbers: `[n]` int64, the images, as their table counts them.
        by: `[n]` int8, index into `KEYS`; `NOT_FOUND` for those that are not among the others.
        undecided: `[n]` bool, of which nobody can tell.
    """

    numbers: np.ndarray
    by: np.ndarray
    undecided: np.ndarray

    @property
    def there(self) -> np.ndarray:
        """`[n]` bool: which images are among the others."""
        found: np.ndarray = self.by != NOT_FOUND
        return found

    @property
    def keys(self) -> tuple[str, ...]:
        """By what they were found."""
        return tuple(key for place, key in enumerate(KEYS) if (self.by == place).any())

    def of_table(self, images: int) -> np.ndarray:
        """`[images]` bool: which images of the whole table are among the others."""
        found = np.zeros(images, bool)
        found[self.numbers[self.there]] = True
        return found


def found_among(mine: Photographs, others: Photographs, *, digests: bool) -> Found:
    """Find out which images are among others.

    Where nothing that a set calls them can be compared, files of equal size are read and compared;
    a photograph that was stored anew is not found by that.

    Args:
        mine: the images.
        others: those that they may be among.
        digests: compare files; if not, what their names do not tell stays undecided.
    """
    by = np.full(len(mine), NOT_FOUND, np.int8)
    for place, space in enumerate(NAMESPACES):
        hit = pc.is_in(mine.names[space], value_set=others.names[space].drop_null())
        by[np.asarray(hit) & (by == NOT_FOUND)] = place
    paths = set(others.paths)
    same = np.array([path in paths for path in mine.paths], bool)
    by[same & (by == NOT_FOUND)] = KEYS.index("path")
    undecided = np.zeros(len(mine), bool)
    for bits in np.unique(mine.known).tolist():
        asked = np.flatnonzero((mine.known == bits) & (by == NOT_FOUND))
        unlike = np.flatnonzero(others.known & bits == 0)
        if len(asked) == 0 or len(unlike) == 0:
            continue
        if digests:
            equal, unread = _compared(mine, asked, others, unlike)
            by[equal] = KEYS.index("digest")
            undecided[unread] = True
        else:
            undecided[asked] = True
    return Found(numbers=mine.numbers, by=by, undecided=undecided)


def _compared(
    mine: Photographs, asked: np.ndarray, others: Photographs, unlike: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return which images `asked` have the content of one of `unlike`, and which are undecided."""
    sizes: dict[int | None, list[int]] = {}
    for place in unlike.tolist():
        sizes.setdefault(others.size(place), []).append(place)
    unread = set(asked.tolist()) if sizes.pop(None, None) else set()
    equal = []
    digests: dict[int, set[bytes | None]] = {}
    for place in asked.tolist():
        size = mine.size(place)
        if size is None:
            unread.add(place)
        elif size in sizes:
            if size not in digests:
                digests[size] = {others.digest(other) for other in sizes[size]} - {None}
            if mine.digest(place) in digests[size]:
                equal.append(place)
    return np.array(equal, np.int64), np.array(sorted(unread.difference(equal)), np.int64)
