"""Several tables as one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.distinct_images import distinct_files
from renaissance.runtime.data.many_texts import TextColumn
from renaissance.runtime.data.table import NAMESPACES, Source, Table, data_set


def join(tables: Sequence[Table]) -> Table:
    """Put several tables of pairs together; paths that lead to one file are one image."""
    if len(tables) == 1:
        return tables[0]
    paths, number = distinct_files(
        [chunk for t in tables for chunk in t.images.data.column("path").chunks]
    )
    starts = np.cumsum([0, *(len(table.images) for table in tables)])
    contents = np.cumsum([0, *(table.contents for table in tables)])
    image = [number[start + t.image_of_row] for start, t in zip(starts, tables, strict=False)]
    return Table(
        rows=data_set(pa.table(_rows(tables, np.concatenate(image)))),
        images=data_set(pa.table({"path": paths} | _images(tables, number, starts, contents))),
        sources=tuple(source for table in tables for source in table.sources),
        files=_files(tables),
        also_true=_also_true(tables, contents),
        incomplete=sum(table.incomplete for table in tables),
        excluded=dict(sum((Counter(table.excluded) for table in tables), Counter())),
    )


def _rows(tables: Sequence[Table], image: np.ndarray) -> dict[str, TextColumn | np.ndarray]:
    """Return what is known of texts, of which `image` `[texts]` are the images."""
    rows = {
        "text": pa.chunked_array([c for t in tables for c in t.texts.cast(pa.string()).chunks]),
        "image": pa.array(image.astype(np.int32)),
        "source": pa.array(np.repeat(np.arange(len(tables), dtype=np.int16), [*map(len, tables)])),
    }
    weights = [table.weight_of_row for table in tables]
    if any(weight is not None for weight in weights):
        rows["weight"] = np.concatenate(
            [np.ones(len(t)) if w is None else w for t, w in zip(tables, weights, strict=True)]
        )
    return rows


def _images(
    tables: Sequence[Table], number: np.ndarray, starts: np.ndarray, contents: np.ndarray
) -> dict[str, pa.Array]:
    """Return what is known of distinct images: what the first table says that names them.

    Args:
        tables: whose images they are.
        number: `[images of all tables]` int32, the distinct image that each is.
        starts: number of images of the tables before each.
        contents: numbers of contents of the tables before each.
    """
    first = np.unique(number, return_index=True)[1]  # [distinct images]
    columns = {}
    if any(table.files is not None for table in tables):
        columns["held"] = pa.concat_arrays(_held(tables)).take(pa.array(first))
    for name in NAMESPACES:
        if any(name in table.images.column_names for table in tables):
            named = [chunk for table in tables for chunk in _named(table, name).chunks]
            columns[name] = pa.chunked_array(named, pa.string()).take(pa.array(first))
    numbers = {
        "scene": [start + t.scene_of_image for start, t in zip(starts, tables, strict=False)],
        "content": [start + t.content_of_image for start, t in zip(contents, tables, strict=False)],
        "source": [np.full(len(t.images), place) for place, t in enumerate(tables)],
    }
    for name, parts in numbers.items():
        columns[name] = pa.array(np.concatenate(parts)[first].astype(np.int32))
    return columns


def _files(tables: Sequence[Table]) -> pa.ChunkedArray | None:
    """Return the image files of all tables that lie in no folder; None for none."""
    files = [table.files for table in tables if table.files is not None]
    if not files:
        return None
    return pa.chunked_array(
        [chunk.cast(pa.large_binary()) for column in files for chunk in column.chunks]
    )


def _also_true(tables: Sequence[Table], contents: np.ndarray) -> pa.Table | None:
    """Return what is true beyond the rows; `contents` are the numbers before each table."""
    found = [
        table.also_true.set_column(1, "content", pc.add(table.also_true["content"], int(start)))
        for start, table in zip(contents, tables, strict=False)
        if table.also_true is not None
    ]
    return pa.concat_tables(found) if found else None


def as_one_block(table: Table, source: Source) -> Table:
    """Return a table that was joined of files of one block as that block's."""
    if len(table.sources) == 1:
        return table
    images = table.images.data.table
    place = images.column_names.index("source")
    one = pa.array(np.zeros(len(images), np.int32))
    return replace(
        table,
        rows=data_set(table.rows.data.table.drop_columns("source")),
        images=data_set(images.set_column(place, "source", one)),
        sources=(source,),
    )


def _held(tables: Sequence[Table]) -> list[pa.Array]:
    """Return which of the files of all tables, one table behind the other, each image is."""
    found, start = [], 0
    for table in tables:
        if table.files is None:
            found.append(pa.nulls(len(table.images), pa.int64()))
        else:
            held = table.images.data.column("held").combine_chunks()
            found.append(pc.add(held, start))
            start += len(table.files)
    return found


def _named(table: Table, name: str) -> pa.ChunkedArray:
    """Return what a data set calls the images of a table, null where nothing is said."""
    if name in table.images.column_names:
        return table.images.data.column(name).cast(pa.string())
    return pa.chunked_array([pa.nulls(len(table.images), pa.string())])
