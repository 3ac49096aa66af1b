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
from renaissance.runtime.data.real_paths import real_column
from renaissance.runtime.data.table import NAMESPACES, Table

KEYS = (*NAMESPACES, "path", "digest")
"""By what an image is found to be one of another table, strongest first."""
NOT_FOUND = -1
MUCH = 4096
"""Bytes of a file from which on no other picture is like it by chance."""
VARIED = 0.9
"""Share of small files that are like no other one of their table where likeness is no chance."""


class Photographs:
    """Images of a table, texts that have none left aside."""

    def __init__(self, table: Table, images: np.ndarray | None = None) -> None:
        """Look at nothing yet.

        Args:
            table: whose images these are.
            images: `[n]` int64, their numbers; those of all texts if None.
        """
        chosen = np.unique(table.images_of_row) if images is None else images
        paths = table.images.data.column("path").take(pa.array(chosen))
        self.table = table
        self.numbers = chosen[np.asarray(pc.not_equal(paths, ""), bool)]

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
    def paths(self) -> pa.Array:
        """The file of each, `[n]` strings, however its path is spelled."""
        found = self.table.images.data.column("path").take(pa.array(self.numbers))
        return real_column(found.combine_chunks())

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
        place: `[n]` int64, which of the others each is, the first where several are alike.
        undecided: `[n]` bool, of which nobody can tell.
        doubtful: `[n]` bool, whose content may be that of another one by chance: it is there
            several times, as that of placeholders, or the file is small and one of a table of
            whose small files many are alike.
    """

    numbers: np.ndarray
    by: np.ndarray
    place: np.ndarray
    undecided: np.ndarray
    doubtful: np.ndarray

    @property
    def there(self) -> np.ndarray:
        """`[n]` bool: which images are among the others."""
        found: np.ndarray = self.by != NOT_FOUND
        return found

    @property
    def keys(self) -> tuple[str, ...]:
        """By what they were found."""
        return tuple(key for place, key in enumerate(KEYS) if (self.by == place).any())

    @property
    def certain(self) -> np.ndarray:
        """`[n]` bool: which of them are so beyond doubt."""
        found: np.ndarray = self.there & ~self.doubtful
        return found

    def of_table(self, images: int, *, certain: bool = False) -> np.ndarray:
        """`[images]` bool: which images of the whole table are among the others."""
        found = np.zeros(images, bool)
        found[self.numbers[self.certain if certain else self.there]] = True
        return found


def found_among(
    mine: Photographs, others: Photographs, *, digests: bool, most: int | None = None
) -> Found:
    """Find out which images are among others.

    Where nothing that a set calls them can be compared, files of equal size are read and compared;
    a photograph that was stored anew is not found by that.

    Args:
        mine: the images.
        others: those that they may be among.
        digests: compare files; if not, what their names do not tell stays undecided.
        most: files above which none is compared; no limit if None.
    """
    by = np.full(len(mine), NOT_FOUND, np.int8)
    place = np.full(len(mine), NOT_FOUND, np.int64)
    for number, key in enumerate(KEYS[:-1]):
        hit = _places(_called(mine, key), _called(others, key))
        new = (hit != NOT_FOUND) & (by == NOT_FOUND)
        by[new], place[new] = number, hit[new]
    undecided, doubtful = np.zeros((2, len(mine)), bool)
    for bits in np.unique(mine.known).tolist():
        asked = np.flatnonzero((mine.known == bits) & (by == NOT_FOUND))
        unlike = np.flatnonzero(others.known & bits == 0)
        if len(asked) == 0 or len(unlike) == 0:
            continue
        if digests and (most is None or len(asked) + len(unlike) <= most):
            equal, unread = _compared(mine, asked, others, unlike)
            for image, alike in equal.items():
                by[image], (place[image], doubtful[image]) = KEYS.index("digest"), alike
            undecided[unread] = True
        else:
            undecided[asked] = True
    return Found(numbers=mine.numbers, by=by, place=place, undecided=undecided, doubtful=doubtful)


def _called(images: Photographs, key: str) -> pa.Array:
    return images.paths if key == "path" else images.names[key]


def _places(mine: pa.Array, others: pa.Array) -> np.ndarray:
    """Return `[n]` int64: where each of some names first stands among others; null is nowhere."""
    found = pc.index_in(mine, value_set=others, skip_nulls=True)
    places: np.ndarray = pc.fill_null(found, NOT_FOUND).to_numpy().astype(np.int64)
    return places


def _compared(
    mine: Photographs, asked: np.ndarray, others: Photographs, unlike: np.ndarray
) -> tuple[dict[int, tuple[int, bool]], list[int]]:
    """Compare the content of images `asked` with that of `unlike` ones.

    Returns:
        Which of them have the content of which of the others, the first, and whether that may be
        by chance; and which are undecided.
    """
    sizes: dict[int | None, list[int]] = {}
    for place in unlike.tolist():
        sizes.setdefault(others.size(place), []).append(place)
    unread = set(asked.tolist()) if sizes.pop(None, None) else set()
    of_size: dict[int, list[int]] = {}
    for place in asked.tolist():
        size = mine.size(place)
        if size is None:
            unread.add(place)
        elif size in sizes:
            of_size.setdefault(size, []).append(place)
    known = {
        size: (_by_digest(mine, places), _by_digest(others, sizes[size]))
        for size, places in of_size.items()
    }
    small = [sides for size, sides in known.items() if size < MUCH]
    by_chance = not all(_varied([sides[side] for sides in small]) for side in (0, 1))
    found = {
        place: (alike[digest][0], len(places) > 1 or len(alike[digest]) > 1 or doubted)
        for size, (equal, alike) in known.items()
        for doubted in [size < MUCH and by_chance]
        for digest, places in equal.items()
        if digest in alike
        for place in places
    }
    return found, sorted(unread.difference(found))


def _varied(files: list[dict[bytes, list[int]]]) -> bool:
    """Return whether most of some files are like no other one of them."""
    alone = sum(len(places) == 1 for each in files for places in each.values())
    return alone >= VARIED * sum(len(places) for each in files for places in each.values())


def _by_digest(images: Photographs, places: list[int]) -> dict[bytes, list[int]]:
    """Return images by the digests of their files, as far as these can be read."""
    found: dict[bytes, list[int]] = {}
    for place in places:
        digest = images.digest(place)
        if digest is not None:
            found.setdefault(digest, []).append(place)
    return found
