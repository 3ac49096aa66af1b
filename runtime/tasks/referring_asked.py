"""Rows that somebody asks about: a text, a photograph, and boxes that it may mean."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from renaissance.runtime.crops import Box
from renaissance.runtime.data.image_file import UnreadableImageError, opened, reasons
from renaissance.runtime.data.table import Table
from renaissance.runtime.tasks.referring import coordinates_of, with_parts
from renaissance.runtime.tasks.referring_keys import Referring

COLUMNS = ("boxes",)
"""What a row has beside text and image: a list of left, top, width and height, in pixels."""


def check(row: Mapping[str, Any]) -> None:
    """Raise ValueError if a row has no boxes, or its image is no file."""
    _boxes(row)
    if not isinstance(row["image"], str | Path):
        raise ValueError("`image` is no path, as it has to be where boxes lie in it")


def complete(block: Referring, table: Table, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Add the candidates of each row and, where the head reads it, where they lie."""
    offered = [_boxes(row) for row in rows]
    if block.coordinates:
        wholes = [_whole(table.path(int(image))) for image in table.image_of_row]
        lying = [
            [number for box in boxes for number in coordinates_of(box, whole)]
            for boxes, whole in zip(offered, wholes, strict=True)
        ]
        from datasets import Dataset

        known = pa.array(lying, pa.list_(pa.float32()))
        rows_with = table.rows.data.table.append_column("coordinates", known)
        table = replace(table, rows=Dataset(rows_with))
    return with_parts(table, offered)


def _boxes(row: Mapping[str, Any]) -> tuple[Box, ...]:
    value = row.get("boxes")
    if isinstance(value, str):  # as a CSV file has it
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError("`boxes` is no list in JSON") from None
    try:
        found = tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in value or ())
    except (TypeError, ValueError):
        raise ValueError("`boxes` is no list of [left, top, width, height]") from None
    if not found:
        raise ValueError("it has no `boxes` to choose among")
    return found


def _whole(path: str) -> Box:
    """Return the box around a photograph; any of one that cannot be read and has no answer."""
    try:
        with reasons(), Path(path).open("rb") as file, opened(file) as image:
            return 0.0, 0.0, float(image.width), float(image.height)
    except UnreadableImageError:
        return 0.0, 0.0, 1.0, 1.0
