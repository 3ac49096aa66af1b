"""Which images could not be read, and how many may be."""

from collections.abc import Iterator, Mapping

import numpy as np

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Table

NAMED = 3
"""Images that a message names."""


class UnreadableImages:
    """Images of one table that could not be read, in the order in which they were met."""

    def __init__(self, table: Table) -> None:
        """Start with none."""
        self._table = table
        self._reasons: dict[int, str] = {}
        source = table.images.data.column("source").to_numpy()
        self._source = source
        self._limits = [
            int(np.floor(s.max_unreadable * np.count_nonzero(source == number) + 1e-9))
            for number, s in enumerate(table.sources)
        ]
        self._counts = [0] * len(table.sources)

    def __len__(self) -> int:
        """Return how many were met so far."""
        return len(self._reasons)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield path and reason of each."""
        for image, reason in self._reasons.items():
            yield self._table.path(image), reason

    def __contains__(self, image: int) -> bool:
        """Return whether an image is known to be unreadable."""
        return image in self._reasons

    @property
    def reasons(self) -> Mapping[int, str]:
        """Reason by number of the image."""
        return self._reasons

    def add(self, image: int, reason: str) -> None:
        """Count an image once.

        Raises:
            DataError: if its source has more unreadable images than it may have.
        """
        if image in self._reasons:
            return
        self._reasons[image] = reason
        number = int(self._source[image])
        self._counts[number] += 1
        if self._counts[number] <= self._limits[number]:
            return
        mine = [i for i in self._reasons if self._source[i] == number][:NAMED]
        names = "; ".join(f"`{self._table.path(i)}`: {self._reasons[i]}" for i in mine)
        raise DataError(
            f"{self._beyond(number)}, first {names}; mend them or raise `max_unreadable`"
        )

    @property
    def beyond(self) -> tuple[str, ...]:
        """A sentence for each source that has more than it may have."""
        pairs = zip(self._counts, self._limits, strict=True)
        return tuple(
            self._beyond(number) for number, (count, limit) in enumerate(pairs) if count > limit
        )

    def _beyond(self, number: int) -> str:
        source = self._table.sources[number]
        total = int(np.count_nonzero(self._source == number))
        return (
            f"more than {100 * source.max_unreadable:g}% of the {total} images of `{source.name}` "
            "cannot be read"
        )
