"""NLVR2 in its published layout: a sentence and two photographs a row. Source: Suhr et al. 2019."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.tasks.classification import answers, targets
from renaissance.runtime.tasks.nlvr2.schema import FILES, Nlvr2, images_of, repository, rows_of

__all__ = ["answers", "read", "targets"]

LABELS = ("False", "True")
SUBSETS = ("balanced", "unbalanced")
PHENOMENA = "annotated_dev_examples.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a file.

    Attributes:
        identifier: split, set of images, pair in it, sentence: `dev-850-0-0`.
        sentence: what may be true.
        label: `True` or `False`; None where nobody says.
        directory: folder of a training image; empty elsewhere.
    """

    identifier: str
    sentence: str
    label: str | None
    directory: str

    @property
    def images(self) -> tuple[str, str]:
        """Paths of the left and the right image."""
        stem = self.identifier.rpartition("-")[0]
        folder = f"{self.directory}/" if self.directory else ""
        return f"{folder}{stem}-img0.png", f"{folder}{stem}-img1.png"

    @property
    def scene(self) -> str:
        """What shows the same photographs: a folder of training images, or a set elsewhere.

        A set of eight photographs makes several pairs, and all its pairs lie in one folder.
        """
        return self.directory or "-".join(self.identifier.split("-")[:2])


def read(block: Nlvr2, source: Source, file: str) -> Table:
    """Read one split.

    Beside sentences and labels, rows have their `id`, the `subset` of balanced or unbalanced pairs
    that they are of, and the linguistic `phenomena` of their sentence, as far as the files with
    these lie there.

    Raises:
        DataError: if a file is missing or malformed.
    """
    rows = list(_rows(block, file))
    subset = _subsets(block.root, file)
    phenomena = _phenomena(repository(block.root) / "util" / PHENOMENA, file)
    left, right = (pa.array([row.images[side] for row in rows], pa.string()) for side in range(2))
    labels = [row.label for row in rows]
    columns = {
        "id": pa.array([row.identifier for row in rows], pa.string()),
        "labelled": pa.array([label is not None for label in labels]),
    }
    if subset:
        columns["subset"] = pa.array([subset.get(row.identifier) for row in rows], pa.string())
    if phenomena:
        found = [phenomena.get(row.sentence, ()) for row in rows]
        columns["phenomena"] = pa.array(found, pa.list_(pa.string()))
    return make_table(
        source,
        images_of(block.root, file),
        pa.array([row.sentence for row in rows], pa.string()),
        [left, right],
        answers=pa.array(labels, pa.string()),
        columns=columns,
        scenes=pa.array([row.scene for row in rows], pa.string()),
    )


def _rows(block: Nlvr2, split: str) -> Iterator[Row]:
    file = rows_of(block.root, split)
    seen: dict[str, int] = {}
    for number, line in _lines(file):
        row = _row(line, split)
        if isinstance(row, str):
            raise DataError(f"line {number} of `{file}` is no example of nlvr2: {row}")
        first = seen.setdefault(row.identifier, number)
        if first != number:
            raise DataError(
                f"line {number} of `{file}` repeats the identifier `{row.identifier}` of "
                f"line {first}"
            )
        yield row


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    if not file.is_file():
        raise DataError(
            f"`{file}` does not exist; `root` holds the folder `nlvr2` of "
            "github.com/lil-lab/nlvr, with `data/train.json` and the other splits, and the images "
            "beside it, in `images/train`, `dev`, `test1` and `test2`"
        )
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line


def _row(line: bytes, split: str) -> Row | str:
    """Read a line; a text says what is wrong with it."""
    try:
        example: dict[str, Any] = json.loads(line)
        identifier, sentence = example["identifier"], example["sentence"]
        label = example["label"] if split in ("train", "dev") else example.get("label")
        directory = example["directory"] if split == "train" else ""
    except KeyError as missing:
        return f"it has no {missing}"
    except (ValueError, TypeError, AttributeError) as problem:
        return f"{type(problem).__name__}: {problem}"
    if not isinstance(identifier, str) or identifier.count("-") != 3:
        return f"`{identifier}` is no identifier such as `dev-850-0-0`"
    if not isinstance(sentence, str):
        return "the sentence is no text"
    if label is not None and label not in LABELS:
        return f'the label is {json.dumps(label)}, neither "True" nor "False"'
    return Row(
        identifier=identifier,
        sentence=sentence,
        label=label,
        directory=str(directory),
    )


def _subsets(root: str, split: str) -> dict[str, str]:
    """Return the subset of each row by its identifier, as far as their files lie there."""
    subset, _, whole = split.rpartition("_")
    found = {}
    for name in (subset,) if subset else SUBSETS:
        if f"{name}_{whole}" not in FILES:
            continue
        file = rows_of(root, f"{name}_{whole}")
        if not file.is_file():
            continue
        for number, line in _lines(file):
            row = _row(line, whole)
            if isinstance(row, str):
                raise DataError(f"line {number} of `{file}` is no example of nlvr2: {row}")
            found[row.identifier] = name
    return found


def _phenomena(file: Path, split: str) -> dict[str, tuple[str, ...]]:
    """Return the phenomena of sentences of `dev`: a sentence, `* NAME` a line, an empty line."""
    if not split.endswith("dev") or not file.is_file():
        return {}
    found: dict[str, tuple[str, ...]] = {}
    try:
        text = file.read_text("utf-8")  # which makes line ends of Windows plain ones
    except UnicodeDecodeError as problem:
        raise DataError(f"`{file}` is no UTF-8 text: {problem}") from None
    for entry in text.split("\n\n"):
        sentence, *names = [line.strip() for line in entry.strip().splitlines()] or [""]
        if any(not name.startswith("*") for name in names):
            raise DataError(
                f"`{file}` holds `{sentence}` with a line that does not begin with `*`, as the "
                "names of phenomena do"
            )
        if names:
            found[sentence] = tuple(name.removeprefix("*").strip() for name in names)
    return found
