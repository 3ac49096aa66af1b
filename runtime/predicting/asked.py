"""Rows that somebody asks about: which of them can be answered, as a table of texts and images."""

import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.grammar.names import listing
from renaissance.runtime.data.fields import as_text
from renaissance.runtime.data.table import SECOND, Source, Table, make_table
from renaissance.runtime.errors import UsageError

Row = Mapping[str, Any]
"""What is known of a row, by name of the column."""
Image = tuple[str, bytes | None]
"""Path of an image, or a name and the content of its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Rows of which each text and each image is there.

    Attributes:
        kept: numbers of these rows among all of them.
        problems: what is wrong with the others, by their number.
        table: texts and images of those that are kept; None where there is none.
    """

    kept: tuple[int, ...]
    problems: Mapping[int, str]
    table: Table | None


def columns_of(task: TaskBlock) -> tuple[str, ...]:
    """Return the columns that a row must have to be answered."""
    more = getattr(optional_facet(task, "asked"), "COLUMNS", ())
    return (*task.text_columns, *task.image_columns, *more)


def asked_rows(task: TaskBlock | None, rows: Sequence[Row], root: str | os.PathLike[str]) -> Asked:
    """Read rows.

    Args:
        task: says what a row consists of; `text` and `image` if None.
        rows: texts are strings; an image is a path, the bytes of a file or an image of Pillow.
        root: folder that relative paths start from.

    Raises:
        UsageError: if this is no list of rows.
    """
    if isinstance(rows, Mapping | str | bytes) or not all(isinstance(row, Mapping) for row in rows):
        raise UsageError(
            "`predict` takes a list of rows, each a dictionary such as "
            '{"text": "is it red?", "image": "a.png"}'
        )
    texts: list[list[str]] = []
    images: list[list[Image]] = []
    kept, problems = [], {}
    of_texts = ("text",) if task is None else task.text_columns
    of_images = ("image",) if task is None else task.image_columns
    extend = None if task is None else optional_facet(task, "asked")
    check: Callable[[Row], None] = getattr(extend, "check", lambda row: None)
    for number, row in enumerate(rows):
        try:
            said = [_text(row, name) for name in of_texts]
            shown = [_image(row, name, number) for name in of_images]
            check(row)
        except ValueError as problem:
            problems[number] = str(problem)
            continue
        kept.append(number)
        texts.append(said)
        images.append(shown)
    if not kept:
        return Asked(kept=(), problems=problems, table=None)
    table = _table(texts, images, root)
    complete = getattr(extend, "complete", None)
    if complete is not None and task is not None:
        table = complete(task, table, [rows[number] for number in kept])
    return Asked(kept=tuple(kept), problems=problems, table=table)


def _table(
    texts: Sequence[Sequence[str]],
    images: Sequence[Sequence[Image]],
    root: str | os.PathLike[str],
) -> Table:
    count = len(texts)
    views = max(len(images[0]), 1)
    paths: list[list[str | None]] = [
        [row[view][0] if row else None for row in images] for view in range(views)
    ]
    held = [row[0][1] if row else None for row in images]
    seconds = len(texts[0]) > 1
    return make_table(
        # However many images cannot be read, the rows of others are answered.
        Source(name="the rows", max_unreadable=1.0),
        root,
        pa.array([row[0] if row else "" for row in texts], pa.string()),
        [pa.array(column, pa.string()) for column in paths],
        columns={SECOND: pa.array([row[1] for row in texts], pa.string())} if seconds else {},
        files=pa.array(held, pa.large_binary()) if held.count(None) < count else None,
    )


def _text(row: Row, name: str) -> str:
    """Return a text of a row; ValueError that says what is wrong with it."""
    value = row.get(name)
    if value is None:
        raise ValueError(_missing(row, name))
    try:
        text = as_text(value)
    except ValueError as problem:
        raise ValueError(f"`{name}` {problem}") from None
    if not text.strip():
        raise ValueError(f"`{name}` is empty")
    return text


def _image(row: Row, name: str, number: int) -> Image:
    """Return an image of a row; ValueError that says what is wrong with it."""
    value = row.get(name)
    if isinstance(value, dict):  # as Hugging Face has images in Parquet
        value = value.get("bytes") or value.get("path")
    if value is None or value == "":
        raise ValueError(_missing(row, name))
    if isinstance(value, str | Path):
        return str(value), None
    if name != "image" and name.startswith("image_"):
        raise ValueError(f"`{name}` is no path, as images have to be where a row has several")
    if isinstance(value, bytes):
        return f"row {number}", value
    if hasattr(value, "save") and hasattr(value, "convert"):
        file = io.BytesIO()
        value.convert("RGB").save(file, "PNG")
        return f"row {number}", file.getvalue()
    raise ValueError(
        f"`{name}` is a `{type(value).__name__}` and no path, bytes of a file or image of Pillow"
    )


def _missing(row: Row, name: str) -> str:
    if name in row:
        return f"`{name}` is empty"
    return f"it has no `{name}`; it has {listing(list(row), 'nothing')}"
