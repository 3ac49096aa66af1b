"""What is right for each row of a table: a class, shares of credit, or a number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from renaissance.grammar.kinds.head import UNKNOWN


class Targets(Protocol):
    """Targets of the rows of a table."""

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return the targets of rows `[n]` int64, as a batch holds them."""
        ...

    def credit(self, rows: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Return `[n]` float32: 1 where a row is predicted right, 0 where wrong, or a share."""
        ...

    def impossible(self, rows: np.ndarray) -> int:
        """Count rows that no prediction gets right, because no class is what is right there."""
        ...

    def majority(self, rows: np.ndarray) -> float | None:
        """Return the one prediction that has most credit for all rows together, if there is one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """One class a row.

    Attributes:
        numbers: `[rows]` int64; `UNKNOWN` where the answer is no class, or nobody knows it.
    """

    numbers: np.ndarray

    @classmethod
    def named(cls, names: Sequence[str | None], classes: Sequence[str]) -> "Classes":
        """Look up the class of each row by its name."""
        number = {name: place for place, name in enumerate(classes)}
        found = [UNKNOWN if name is None else number.get(name, UNKNOWN) for name in names]
        return cls(numbers=np.array(found, np.int64))

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return `[n]` int64."""
        found: np.ndarray = self.numbers[rows]
        return found

    def credit(self, rows: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Return 1 where the class is the right one."""
        right: np.ndarray = (self.numbers[rows] == predictions).astype(np.float32)
        return right

    def impossible(self, rows: np.ndarray) -> int:
        """Count rows whose answer is no class."""
        return int((self.numbers[rows] == UNKNOWN).sum())

    def majority(self, rows: np.ndarray) -> int | None:
        """Return the most frequent class, the first of equals."""
        numbers = self.numbers[rows]
        counts = np.bincount(numbers[numbers != UNKNOWN])
        return int(counts.argmax()) if len(counts) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Credit for some classes of each row; the others have none and are not kept.

    Attributes:
        starts: `[rows + 1]` int64, where the entries of each row start and the last ones end.
        classes: `[entries]` int64, the class of each entry, none twice in a row.
        credits: `[entries]` float32, above 0 and up to 1.
        count: how many classes there are.
    """

    starts: np.ndarray
    classes: np.ndarray
    credits: np.ndarray
    count: int

    @classmethod
    def listed(cls, rows: Sequence[Sequence[tuple[int, float]]], count: int) -> "Shares":
        """Keep the classes of each row with their credit."""
        entries = [entry for row in rows for entry in row]
        return cls(
            starts=np.cumsum([0, *map(len, rows)], dtype=np.int64),
            classes=np.array([number for number, _ in entries], np.int64),
            credits=np.array([credit for _, credit in entries], np.float32),
            count=count,
        )

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return `[n, classes]` float32."""
        place, entry = self._entries(rows)
        shares = np.zeros((len(rows), self.count), np.float32)
        shares[place, self.classes[entry]] = self.credits[entry]
        return shares

    def credit(self, rows: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Return the credit of the predicted class."""
        place, entry = self._entries(rows)
        meant = self.classes[entry] == predictions[place]
        found = np.zeros(len(rows), np.float32)
        found[place[meant]] = self.credits[entry[meant]]
        return found

    def impossible(self, rows: np.ndarray) -> int:
        """Count rows without credit for any class."""
        return int((self.starts[rows + 1] == self.starts[rows]).sum())

    def majority(self, rows: np.ndarray) -> int | None:
        """Return the class with most credit, the first of equals."""
        _, entry = self._entries(rows)
        credits = np.bincount(self.classes[entry], weights=self.credits[entry])
        return int(credits.argmax()) if len(credits) else None

    def _entries(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return `[entries]` int64 of some rows: the place of the row, and the entry."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        place = np.repeat(np.arange(len(rows)), lengths)
        before = np.cumsum(lengths) - lengths
        return place, np.arange(len(place)) + np.repeat(self.starts[rows] - before, lengths)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSets:
    """Any number of classes a row, none among them.

    Attributes:
        shares: full credit for the classes of each row.
        labelled: `[rows]` bool, of which rows they are known.
    """

    shares: Shares
    labelled: np.ndarray

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return `[n, classes]` float32: 1 for a class of a row, 0 for others; NaN if unknown."""
        found = self.shares.of(rows)
        found[~self.labelled[rows]] = np.nan
        return found

    def credit(self, rows: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Return 1 where the predicted class is one of the row."""
        return self.shares.credit(rows, predictions)

    def impossible(self, rows: np.ndarray) -> int:
        """Count none: a row may have no class."""
        return 0

    def majority(self, rows: np.ndarray) -> int | None:
        """Return the class that is there most often, the first of equals."""
        return self.shares.majority(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """One number a row.

    Attributes:
        values: `[rows]` float32, NaN where nobody knows it.
    """

    values: np.ndarray

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return `[n]` float32."""
        found: np.ndarray = self.values[rows]
        return found

    def credit(self, rows: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Return the negative squared error."""
        error: np.ndarray = -np.square(self.values[rows] - predictions, dtype=np.float32)
        return error

    def impossible(self, rows: np.ndarray) -> int:
        """Count none: any number can be predicted."""
        return 0

    def majority(self, rows: np.ndarray) -> float | None:
        """Return the mean, which has the least squared error."""
        values = self.values[rows].astype(np.float64)
        values = values[np.isfinite(values)]
        return float(values.mean()) if len(values) else None


def known(target: np.ndarray | None) -> int:
    """Count the items of a batch that have a target."""
    if target is None:
        return 0
    if np.issubdtype(target.dtype, np.integer):
        return int((target != UNKNOWN).sum())
    return int(np.isfinite(target if target.ndim == 1 else target[:, 0]).sum())
