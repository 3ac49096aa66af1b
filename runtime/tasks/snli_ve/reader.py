"""SNLI-VE in its published layout: a photograph of Flickr30k and a sentence a row."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.tasks.classification import targets
from renaissance.runtime.tasks.snli_ve.schema import SnliVe, rows_of

__all__ = ["answers", "read", "targets"]

CLASSES = ("contradiction", "neutral", "entailment")
FOLDERS = (
    "flickr30k-images",
    "Flickr30K/images",
    "flickr30k_images",
    "flickr30k-images/flickr30k-images",
    "flickr30k_images/flickr30k_images",
    "flickr30k/flickr30k-images",
)
"""Where photographs are looked for, in this order."""
PHOTOGRAPH = ("Flickr30K_ID", "Flikr30kID")
"""Key of a photograph: as in the files, and as older ones spell it."""
VISUAL_GENOME = "vg_"
"""Begins the names of photographs that are not of Flickr30k."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a file.

    Attributes:
        identifier: caption, pair and class that was asked for: `2248275918.jpg#2r1c`.
        photograph: its number at Flickr.
        hypothesis: what may follow.
        label: one of `CLASSES`, or `-` where annotators do not agree.
    """

    identifier: str
    photograph: str
    hypothesis: str
    label: str

    @property
    def counts(self) -> bool:
        """Whether it is of the set: annotators agree, and the photograph is of Flickr30k."""
        return self.label != "-" and not self.photograph.startswith(VISUAL_GENOME)


def read(block: SnliVe, source: Source, file: str) -> Table:
    """Read one split; rows that are not of the set are left out and counted.

    Raises:
        DataError: if a file is missing or malformed, or there is no folder of photographs
            although they are shown.
    """
    path = rows_of(block.root, file)
    rows = list(_rows(path))
    kept = [row for row in rows if row.counts]
    photographs = pa.array([row.photograph for row in kept], pa.string())
    return make_table(
        source,
        _images(block.root, needed=source.shown),
        pa.array([row.hypothesis for row in kept], pa.string()),
        pa.array([f"{row.photograph}.jpg" for row in kept], pa.string()),
        answers=pa.array([row.label for row in kept], pa.string()),
        columns={"id": pa.array([row.identifier for row in kept], pa.string())},
        # The hypotheses of a photograph are spread over its captions and stay together.
        scenes=photographs,
        incomplete=len(rows) - len(kept),
    )


def answers(block: SnliVe, train: Part) -> tuple[str, ...]:
    """Return the three classes."""
    return CLASSES


def _images(root: str, *, needed: bool) -> Path:
    folders = [Path(root) / name for name in FOLDERS]
    found = next((folder for folder in folders if folder.is_dir()), None)
    if found is None and needed:
        raise DataError(
            f"`{root}` has no folder of photographs, neither `{FOLDERS[0]}` nor `{FOLDERS[1]}`; "
            "ask for Flickr30k at shannon.cs.illinois.edu/DenotationGraph"
        )
    return found or folders[0]


def _rows(path: Path) -> Iterator[Row]:
    if not path.is_file():
        raise DataError(
            f"`{path}` does not exist; `root` holds `snli_ve_train.jsonl`, `snli_ve_dev.jsonl` and "
            "`snli_ve_test.jsonl`, which github.com/necla-ml/SNLI-VE makes of SNLI"
        )
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            row = _row(line)
            if isinstance(row, str):
                raise DataError(f"line {number} of `{path}` is no example of snli_ve: {row}")
            yield row


def _row(line: bytes) -> Row | str:
    """Read a line; a text says what is wrong with it."""
    try:
        example: dict[str, Any] = json.loads(line)
        label, hypothesis = example["gold_label"], example["sentence2"]
        identifier = example["pairID"]
        photograph = _photograph(example)
    except KeyError as missing:
        return f"it has no {missing}"
    except (ValueError, TypeError, AttributeError) as problem:
        return f"{type(problem).__name__}: {problem}"
    if label not in (*CLASSES, "-"):
        return f"the label is {json.dumps(label)}, none of {', '.join(CLASSES)}"
    if not all(isinstance(part, str) for part in (hypothesis, identifier, photograph)):
        return "`pairID`, `sentence2` and the name of the photograph are texts"
    return Row(identifier=identifier, photograph=photograph, hypothesis=hypothesis, label=label)


def _photograph(example: dict[str, Any]) -> str:
    """Return the number of a photograph; rows of SNLI itself name it in their `captionID` only."""
    for name in PHOTOGRAPH:
        if name in example:
            return str(example[name]).removesuffix(".jpg")
    if "captionID" not in example:
        raise KeyError(PHOTOGRAPH[0])
    return str(example["captionID"].partition("#")[0]).removesuffix(".jpg")
