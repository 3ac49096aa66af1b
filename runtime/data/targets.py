"""What is right for each row of a table: a class, shares of credit, or a number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from renaissance.compiler.batch import UNKNOWN


class Targets(Protocol):
    """Targets of the rows of a table."""

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return the targets of rows `[n]` int64, as a batch holds them."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Credit for some classes of each row, kept without the others.

    Attributes:
        starts: `[rows + 1]` int64, where the entries of each row start and the last ones end.
        classes: `[entries]` int32, the class of each entry.
        credit: `[entries]` float32, 0 to 1.
        count: how many classes there are.
    """

    starts: np.ndarray
    classes: np.ndarray
    credit: np.ndarray
    count: int

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return `[n, classes]` float32."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        row = np.repeat(np.arange(len(rows)), lengths)
        first = np.repeat(self.starts[rows] - np.cumsum(lengths) + lengths, lengths)
        entry = np.arange(len(row)) + first
        shares = np.zeros((len(rows), self.count), np.float32)
        shares[row, self.classes[entry]] = self.credit[entry]
        return shares


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


def known(target: np.ndarray | None) -> int:
    """Count the items of a batch that have a target."""
    if target is None:
        return 0
    if np.issubdtype(target.dtype, np.integer):
        return int((target != UNKNOWN).sum())
    return int(np.isfinite(target if target.ndim == 1 else target[:, 0]).sum())
