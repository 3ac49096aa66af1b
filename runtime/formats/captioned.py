"""What readers of published captions have in common."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table, complete_rows, make_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """An image with its captions.

    Attributes:
        path: of the image, from the folder of the data set on.
        captions: in the order of the file.
        names: what data sets call the photograph, by namespace.
    """

    path: str
    captions: Sequence[str]
    names: Mapping[str, str | None] = field(default_factory=dict)


def captioned_table(
    source: Source, root: str | Path, images: Iterable[Captioned], spaces: Sequence[str] = ()
) -> Table:
    """Return a row for each caption that has something to be seen.

    Args:
        source: the block that they are of.
        root: folder that paths start from.
        images: in the order of their file.
        spaces: namespaces of which it is known whether they have an image.

    Raises:
        DataError: if there is no caption.
    """
    found = list(images)
    captions = pa.array([text.strip() for one in found for text in one.captions], pa.string())
    image = np.repeat(np.arange(len(found)), [len(one.captions) for one in found])
    paths = pa.array([one.path for one in found], pa.string()).take(pa.array(image))
    keep = pa.array(complete_rows(captions, paths))
    row = pa.array(image).take(keep)
    names = {
        space: pa.array([one.names.get(space) for one in found], pa.string()).take(row)
        for space in spaces
    }
    return make_table(
        source,
        root,
        captions.take(keep),
        paths.take(keep),
        names=names,
        incomplete=len(captions) - len(keep),
    )


def published(root: str | Path, places: Sequence[str], source: Source, *, hint: str) -> Path:
    """Return the first of some places of a file that is there.

    Raises:
        DataError: naming the first place, if it is at none of them.
    """
    if not Path(root).is_dir():
        raise DataError(f"the folder `{root}` of `{source.name}` does not exist")
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


def distinct(captions: Iterable[str]) -> list[str]:
    """Return captions, each once, in their order."""
    return list(dict.fromkeys(text.strip() for text in captions))


def text(value: object) -> str:
    """Return a text; raises TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value
