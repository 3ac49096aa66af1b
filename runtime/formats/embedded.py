"""Tables in which images lie themselves, as those of Hugging Face: mapped, never loaded."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.columns import is_list
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.many_texts import TextColumn
from renaissance.runtime.data.table import Source, Table, complete_rows, make_table


def holds_images(kind: pa.DataType) -> bool:
    """Tell whether a column is one of images, not of their paths."""
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or (pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0)
    )


def embedded_table(
    source: Source,
    root: str | Path,
    images: pa.ChunkedArray,
    captions: pa.ChunkedArray,
    *,
    where: str,
    called: TextColumn | None = None,
    names: dict[str, TextColumn] | None = None,
    weights: np.ndarray | None = None,
) -> Table:
    """Return a row for each caption that has something to be seen.

    Args:
        source: the block that they are of.
        root: folder that paths start from, where images lie at a path.
        images: `[rows]`: a path, a file, or an object of both, `{bytes, path}`, either of which may
            be missing.
        captions: `[rows]`: a text, or a list of them.
        where: what the images are called by, with the number of their row.
        called: `[rows]` what they are called besides.
        names: what data sets call each photograph, `[rows]`, by namespace.
        weights: `[rows]` float64, how often a row comes in an epoch.

    Raises:
        DataError: if a column holds anything else, or there are no rows.
    """
    files, paths = _parts(images, source)
    row = np.arange(len(images))
    if is_list(captions.type):
        row = np.repeat(row, _lengths(captions))
        captions = pc.list_flatten(captions)
    captions = pc.utf8_trim_whitespace(_texts(captions, source).cast(pa.string()))
    if files is not None:
        paths = _called(where, len(images), paths if called is None else called, files, paths)
    assert paths is not None  # where there is no path there is a file
    of_row = paths.take(pa.array(row))
    keep = complete_rows(captions, of_row)
    kept = row[keep]
    return make_table(
        source,
        root,
        captions.take(pa.array(keep)),
        of_row.take(pa.array(keep)),
        names={space: column.take(pa.array(kept)) for space, column in (names or {}).items()},
        columns=None if weights is None else {"weight": pa.array(weights[kept])},
        files=files,
        file_of_text=None if files is None else kept,
        incomplete=len(captions) - len(keep),
    )


def mapped_arrow(path: Path) -> pa.Table:
    """Return what a file of Arrow holds, mapped, be it of the form for files or for streams.

    Raises:
        DataError: if it is neither.
    """
    try:
        memory = pa.memory_map(str(path))
    except OSError as problem:
        raise DataError(f"`{path}` cannot be read: {problem.strerror or problem}") from None
    try:
        return pa.ipc.open_file(memory).read_all()
    except pa.ArrowInvalid:
        memory.seek(0)
    try:
        return pa.ipc.open_stream(memory).read_all()
    except (pa.ArrowException, OSError) as problem:
        raise DataError(f"`{path}` is no file of Arrow: {problem}") from None


def column_of(table: pa.Table, name: str, path: Path) -> pa.ChunkedArray:
    """Return a column; raises DataError if there is none."""
    if name not in table.column_names:
        there = ", ".join(f"`{other}`" for other in table.column_names)
        raise DataError(f"`{path}` has no column `{name}`; its columns are {there}")
    return table[name]


def _parts(
    images: pa.ChunkedArray, source: Source
) -> tuple[pa.ChunkedArray | None, pa.ChunkedArray | None]:
    kind = images.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return None, images.cast(pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return images, None
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        files = pc.struct_field(images, "bytes")
        if kind.get_field_index("path") < 0:
            return files, None
        return files, pc.struct_field(images, "path").cast(pa.string())
    raise DataError(f"the images of `{source.name}` are {kind}, neither paths nor files")


def _called(
    where: str,
    count: int,
    called: TextColumn | None,
    files: pa.ChunkedArray,
    paths: pa.ChunkedArray | None,
) -> pa.ChunkedArray:
    """Return a path for each image, which is but a name where there is a file."""
    numbers = pa.array(range(count), pa.int64()).cast(pa.string())
    made = pc.binary_join_element_wise(where, numbers, "/")
    if called is not None:
        last = pc.replace_substring_regex(pc.fill_null(called, ""), r".*/", "")
        made = pc.binary_join_element_wise(made, last, "-")
    # Where neither is there, there is no image.
    return pc.if_else(
        pc.is_valid(files), made, pa.nulls(count, pa.string()) if paths is None else paths
    )


def _lengths(lists: pa.ChunkedArray) -> np.ndarray:
    lengths: np.ndarray = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    return lengths


def _texts(column: pa.ChunkedArray, source: Source) -> pa.ChunkedArray:
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise DataError(f"the captions of `{source.name}` are {kind}, not text")
    return column
