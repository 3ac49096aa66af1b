"""Any columns of a table: CSV, JSON Lines, Parquet. What they hold is for their reader to say."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from renaissance.runtime.data.columns import (
    KINDS,
    csv_rows,
    json_rows,
    parquet_batches,
    parquet_names,
    separator_of,
)
from renaissance.runtime.data.errors import DataError

T = TypeVar("T")
_IMAGES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Some columns of a table.

    Attributes:
        path: of the table.
        values: of each row, by name of the column; None where there is none.
    """

    path: Path
    values: dict[str, list[Any]]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.values.values()), []))

    def column(self, name: str, meaning: Callable[[Any], T | None]) -> list[T | None]:
        """Return what a column means, None where a value is missing.

        Args:
            name: of the column.
            meaning: of a value; raises ValueError that says what is wrong with one.

        Raises:
            DataError: naming the first row whose value cannot be meant.
        """
        found: list[T | None] = []
        for number, value in enumerate(self.values[name]):
            try:
                found.append(None if value is None else meaning(value))
            except ValueError as problem:
                self.refuse(number, f"`{name}` {problem}")
        return found

    def refuse(self, number: int, what: str) -> NoReturn:
        """Say what is wrong with a row, counted from 0; raises DataError."""
        raise DataError(f"row {number + 1} of `{self.path}`: {what}")


def read_fields(path: Path, names: Sequence[str], *, what: str | None = None) -> Fields:
    """Read columns of a table as they are.

    Args:
        path: of the table.
        names: of the columns, each once.
        what: whose table it is for messages; None for one that a command names.

    Raises:
        DataError: if the table is missing, empty or malformed, or has no such column.
    """
    if not path.is_file():
        named = f"`{path}`" if what is None else f"the table `{path}` of {what}"
        state = "is a folder, not a table" if path.is_dir() else "does not exist"
        raise DataError(f"{named} {state}")
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(KINDS)
        if path.suffix.lower() in _IMAGES:
            raise DataError(f"`{path}` is an image, not a table; a table ends in {known}")
        raise DataError(f"the table `{path}` has an unknown suffix; a table ends in {known}")
    if kind == "Parquet":
        rows = _of_parquet(path, names)
    elif kind == "CSV":
        rows = csv_rows(path, names)
    else:
        rows = (values for _, values in json_rows(path, names, whole=str))
    columns = list(zip(*rows, strict=True))
    if not columns:
        raise DataError(f"the table `{path}` has no rows")
    values = {name: list(column) for name, column in zip(names, columns, strict=True)}
    return Fields(path=path, values=values)


def first_names(path: Path) -> tuple[str, ...]:
    """Return the names of a table's columns, or of the values of its first line.

    Raises:
        DataError: if it cannot be read.
    """
    if KINDS.get(path.suffix.lower()) == "Parquet":
        return parquet_names(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            if KINDS.get(path.suffix.lower()) == "CSV":
                return tuple(next(csv.reader(file, delimiter=separator_of(path)), ()))
            line = next((line for line in file if line.strip()), "{}")
        found = json.loads(line)
    except (OSError, ValueError, csv.Error) as problem:
        raise DataError(f"`{path}` cannot be read: {problem}") from None
    return tuple(found) if isinstance(found, dict) else ()


def _of_parquet(path: Path, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for batch in parquet_batches(path, names):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def as_text(value: Any) -> str:
    """Return a text; raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError(f"is {_named(value)}, not text")
    return value


def as_name(value: Any) -> str:
    """Return the name of a class, which may be a whole number; raises ValueError for others."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int):
        raise ValueError(f"is {_named(value)}, not the name of a class")
    return str(value).strip()


def as_number(value: Any) -> float:
    """Return a number; raises ValueError for anything else, infinities among them."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"is {_named(value)}, not a number") from None
    if number - number != 0:
        raise ValueError(f"is {value}, not a finite number")
    return number


def _named(value: Any) -> str:
    if isinstance(value, str):
        return f"`{value[:40]}`"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else f"`{value}`"
