"""From the rows of one's own table to texts, images and what is wanted of them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.grammar.names import listing
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.fields import Fields, as_name, as_text, first_names, read_fields
from renaissance.runtime.data.table import SECOND, VISIBLE, Source, Table, make_table
from renaissance.runtime.tasks.tabular import TabularTask

FOLDERS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""Suffixes of images in a folder a class, as torchvision's ImageFolder has them."""

SPLITS = frozenset({"train", "training", "val", "valid", "validation", "dev", "test", "testing"})
"""What folders of parts of a set are called."""

KIND = "kind"
"""Column of the kinds of rows, where a task names one."""

Image: TypeAlias = tuple[str, bytes | None]
"""Path of an image and, where it lies in a table itself, its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of a table that are complete.

    Attributes:
        fields: of all rows.
        kept: `[rows]` int64, numbers of those that are complete.
        source: the block that they are of.
        root: folder that image paths start from.
        texts: of the complete rows, empty where they have none.
        seconds: second texts of these; None where rows have one text.
        images: path and, where it is no file of its own, content of the image of each; None where
            rows have no images.
        ids: what each is called; None where they have no names.
        kinds: of what kind each is, None where that is empty; None where nobody asks.
    """

    fields: Fields
    kept: np.ndarray
    source: Source
    root: Path
    texts: list[str]
    seconds: list[str] | None
    images: list[Image] | None
    ids: list[str] | None
    kinds: list[str | None] | None = None

    def of_kept(self, values: Sequence[Any]) -> list[Any]:
        """Return what belongs to the complete rows."""
        return [values[row] for row in self.kept.tolist()]

    def table(
        self, *, answers: Sequence[str | None] | None, columns: Mapping[str, pa.Array]
    ) -> Table:
        """Return them with what is wanted.

        Args:
            answers: of the complete rows; None where nobody knows.
            columns: what else is known of each complete row.
        """
        known = dict(columns)
        if self.ids is not None:
            known["id"] = pa.array(self.ids, pa.string())
        if self.kinds is not None:
            known[KIND] = pa.array(self.kinds, pa.string())
        if self.seconds is not None:
            known[SECOND] = pa.array(self.seconds, pa.string())
        paths: list[str | None] = [None] * len(self.texts)
        held: list[bytes | None] = [None] * len(self.texts)
        if self.images is not None:
            paths, held = [path for path, _ in self.images], [file for _, file in self.images]
        return make_table(
            self.source,
            self.root,
            pa.array(self.texts, pa.string()),
            pa.array(paths, pa.string()),
            answers=None if answers is None else pa.array(answers, pa.string()),
            columns=known,
            files=pa.array(held, pa.large_binary()) if held.count(None) < len(held) else None,
            incomplete=len(self.fields) - len(self.kept),
        )


def read_rows(
    block: TabularTask, source: Source, file: str, *, texts: Sequence[str], others: Sequence[str]
) -> Rows:
    """Read columns of a table of a task; those of texts and images if they are there or shown.

    Args:
        block: the task.
        source: what messages call it.
        file: which of its tables.
        texts: columns of texts without which a row is incomplete: of the text, of a second one.
        others: further columns.

    Raises:
        DataError: if the table is missing, empty or malformed, or has no such column.
    """
    path = block.table(file)
    image = block.image
    if not source.shown:
        texts, image = _there(path, texts, image)
    optional = [name for name in (image, block.id) if name is not None]
    kinds = () if block.kind is None else (block.kind,)
    names = tuple(dict.fromkeys([*texts, *others, *optional, *kinds]))
    try:
        fields = read_fields(path, names, what=f"`{source.name}`")
    except DataError as problem:
        raise DataError(f"{problem}{_without(block, path, texts)}") from None
    root = Path(block.root) if block.root is not None else path.parent
    if source.shown and not root.is_dir():
        raise DataError(f"the image folder `{root}` of `{source.name}` does not exist")
    complete = np.ones(len(fields), bool)
    said = []
    for name in texts:
        said.append(fields.column(name, as_text))
        complete &= _visible(said[-1])
    images = None if image is None else _images(fields, image)
    if images is not None:
        complete &= [image is not None for image in images]
    kept = np.flatnonzero(complete)
    ids = None if block.id is None else fields.column(block.id, as_name)
    kind = None if block.kind is None else fields.column(block.kind, as_name)
    chosen = kept.tolist()
    return Rows(
        fields=fields,
        kept=kept,
        source=source,
        root=root,
        texts=[str(said[0][row]) for row in chosen] if said else [""] * len(kept),
        seconds=[str(said[1][row]) for row in chosen] if len(said) > 1 else None,
        images=None if images is None else [images[row] or ("", None) for row in chosen],
        ids=None if ids is None else [ids[row] or "" for row in chosen],
        kinds=None if kind is None else [kind[row] or None for row in chosen],
    )


def _there(
    path: Path, texts: Sequence[str], image: str | None
) -> tuple[tuple[str, ...], str | None]:
    """Return those of the columns of texts, and that of images, that a table has."""
    if not path.is_file():
        return tuple(texts), image
    names = first_names(path)
    return tuple(name for name in texts if name in names), image if image in names else None


def _without(block: TabularTask, path: Path, texts: Sequence[str]) -> str:
    """Return what to write where a table has no texts or no images, as the end of a sentence."""
    if not path.is_file():
        return ""
    try:
        there = first_names(path)
    except DataError:
        return ""
    found = []
    if getattr(block, "text", None) is not None and texts and texts[0] not in there:
        found.append("`text = none` where rows have no text")
    if block.image is not None and block.image not in there:
        found.append("`image = none` where they have no image")
    return f"; write {' and '.join(found)}, else the name of a column" if found else ""


def texts_of(block: TabularTask, text: str | None, source: Source) -> tuple[str, ...]:
    """Return the column of texts, if there is one; raises DataError without one and an image."""
    if text is None and block.image is None and source.shown:
        raise DataError(f"`{source.name}` has neither `text` nor `image`, so nothing to look at")
    return () if text is None else (text,)


def read_labelled(rows: Rows, label: str, columns: Mapping[str, pa.Array] | None = None) -> Table:
    """Return rows with the class that a column names; of those without one nobody knows it."""
    names = [name or None for name in rows.of_kept(rows.fields.column(label, as_name))]
    known = pa.array([name is not None for name in names])
    return rows.table(answers=names, columns={**(columns or {}), "labelled": known})


def read_folder(source: Source, folder: Path) -> Table:
    """Read a folder that holds a folder of images for each class, named by it.

    Raises:
        DataError: if there is no such folder, or a class without images.
    """
    if not folder.is_dir():
        raise DataError(f"the folder `{folder}` of `{source.name}` does not exist")
    classes = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    classes = [name for name in classes if not name.startswith(".")]
    if not classes:
        raise DataError(f"`{folder}` of `{source.name}` holds no folders, one for each class")
    parts = [name for name in classes if name.lower() in SPLITS]
    if len(parts) > 1 or parts == classes:
        # A single one among others may be a class: trains are photographed, too.
        raise DataError(
            f"`{folder}` of `{source.name}` holds {listing(parts)}, which are splits and no "
            f"classes; name one of them, such as `{folder / parts[0]}`"
        )
    paths, answers = [], []
    for name in classes:
        found = sorted(
            path.relative_to(folder).as_posix()
            for path in (folder / name).rglob("*")
            if path.suffix.lower() in FOLDERS and not path.is_dir()
        )
        if not found:
            raise DataError(
                f"the class folder `{folder / name}` holds no image; remove it if it is no class"
            )
        paths += found
        answers += [name] * len(found)
    return make_table(
        source,
        folder,
        pa.array([""] * len(paths), pa.string()),
        pa.array(paths, pa.string()),
        answers=pa.array(answers, pa.string()),
        columns={"id": pa.array(paths, pa.string())},
    )


def _images(fields: Fields, name: str) -> list[Image | None]:
    """Return the image of each row; those that lie in the table are told apart by their row."""
    return [
        (f"{fields.path}/{row}", image[1]) if image is not None and not image[0] else image
        for row, image in enumerate(fields.column(name, _image))
    ]


def _image(value: Any) -> Image | None:
    """Return path and content of an image; None where there is nothing to be seen.

    Hugging Face's convention for Parquet is an object of both, either of which may be missing.
    """
    if isinstance(value, dict) and value.keys() >= {"bytes", "path"}:
        content, path = value["bytes"], value["path"]
        if content is not None:
            return "", bytes(content)
        return None if path is None else _image(path)
    if isinstance(value, bytes):
        return "", value
    path = as_text(value)
    return (path, None) if path.strip() else None


def _visible(texts: Sequence[str | None]) -> np.ndarray:
    """Return `[rows]` bool: which texts have something to be seen."""
    seen = pc.match_substring_regex(pa.array(texts, pa.string()), VISIBLE)
    found: np.ndarray = pc.fill_null(seen, False).to_numpy(zero_copy_only=False)
    return found
