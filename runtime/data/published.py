"""Files of published data sets: where they lie, and what is wrong in which of their entries."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from renaissance.runtime.data.errors import DataError


def published(root: str | Path, places: Sequence[str], name: str, *, hint: str) -> Path:
    """Return the first of some places of a file that is there.

    Args:
        root: folder that the places start from.
        places: as published, then as others have it.
        name: what messages call the data.
        hint: says where the file comes from.

    Raises:
        DataError: naming the first place, if it is at none of them.
    """
    if not Path(root).is_dir():
        raise DataError(f"the folder `{root}` of `{name}` does not exist")
    found = next((Path(root, place) for place in places if Path(root, place).is_file()), None)
    if found is None:
        others = f", nor is there `{'` or `'.join(places[1:])}`" if places[1:] else ""
        raise DataError(f"`{Path(root, places[0])}` does not exist{others}; {hint}")
    return found


def first_folder(root: str | Path, places: Sequence[str]) -> str:
    """Return the first of some folders that is there; the first of all if none is."""
    return next((place for place in places if Path(root, place).is_dir()), places[0])


def read_json(path: Path) -> Any:
    """Return what a file of JSON holds; raises DataError."""
    try:
        return json.loads(path.read_bytes())
    except OSError as problem:
        raise DataError(f"`{path}` cannot be read: {problem.strerror}") from None
    except (ValueError, RecursionError) as problem:
        raise DataError(f"`{path}` is no JSON: {problem}") from None


def listed(content: Any, name: str, path: Path) -> list[Any]:
    """Return a list that an object of a file names; raises DataError."""
    found = content.get(name) if isinstance(content, dict) else None
    if not isinstance(found, list):
        raise DataError(f"`{path}` has no list `{name}`")
    return found


@contextmanager
def entry(path: Path, number: int, what: str) -> Iterator[None]:
    """Say which entry of a file, counted from 0, lacks a field; raises DataError."""
    try:
        yield
    except KeyError as missing:
        raise DataError(f"{what} {number} of `{path}` has no `{missing.args[0]}`") from None
    except (TypeError, ValueError, AttributeError) as problem:
        raise DataError(f"{what} {number} of `{path}` cannot be read: {problem}") from None


def text(value: object) -> str:
    """Return a text; raises TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value
