"""What a file of predictions says, row by row: official ones, and JSON Lines where none is."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from renaissance.runtime.crops import Box
from renaissance.runtime.data.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is predicted for a row.

    Attributes:
        place: where in the file that is said, such as `line 3`.
        id: of the row.
        prediction: a word, a number, a place among candidates, or a box (left, top, width, height);
            None where there is none, which is wrong.
        probabilities: of classes by their names; None where the file says none.
        best: the best classes, the best first; None likewise.
    """

    place: str
    id: str | int
    prediction: str | int | float | Box | None
    probabilities: Mapping[str, float] | None = None
    best: tuple[str, ...] | None = None


def json_lines(content: bytes) -> Iterator[Entry]:
    """Yield what lines of `{"id": …, "prediction": …}` say, with `probabilities` and `best`.

    Further keys are left alone.

    Raises:
        DataError: for a line of another form.
    """
    for place, line in lines_of(content):
        try:
            entry = json.loads(line)
            identifier, prediction = entry["id"], entry["prediction"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise DataError(
                f"{place} is no JSON object with `id` and `prediction`: {line[:60]}"
            ) from None
        if isinstance(identifier, bool) or not isinstance(identifier, str | int):
            raise DataError(f"{place} has an `id` that is neither a text nor a whole number")
        if isinstance(prediction, bool) or not isinstance(prediction, str | int | float | None):
            raise DataError(f"{place} has a `prediction` that is neither a text nor a number")
        yield Entry(
            place=place,
            id=identifier,
            prediction=prediction,
            probabilities=_probabilities(entry.get("probabilities"), place),
            best=_best(entry.get("best"), place),
        )


def _probabilities(value: Any, place: str) -> Mapping[str, float] | None:
    if value is None:
        return None
    known: list[Any] = [*value.values()] if isinstance(value, dict) else [None]
    if not all(type(share) in (int, float) and 0 <= share <= 1 for share in known):
        raise DataError(
            f"{place} has `probabilities` that are no object of classes with numbers from 0 to 1"
        )
    return {name: float(share) for name, share in value.items()}


def _best(value: Any, place: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise DataError(f"{place} has `best` that is no list of classes")
    return tuple(value)


def lines_of(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield place and text of each line that is not empty; DataError for what is no text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        place = content.count(b"\n", 0, problem.start) + 1
        raise DataError(f"line {place} is no UTF-8 text") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"line {number}", line.strip()
