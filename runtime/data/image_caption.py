"""Tables of image paths and captions: CSV, JSON Lines, Parquet."""

import difflib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from renaissance.grammar.schema.data import ImageCaption
from renaissance.runtime.caches import cache_folder
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table, complete_rows, make_table

if TYPE_CHECKING:
    from datasets import Dataset

SUFFIXES = {".csv": "CSV", ".jsonl": "JSON Lines", ".json": "JSON Lines", ".parquet": "Parquet"}
IN_MEMORY_BYTES = 64 * 1024**2
"""Larger tables are converted once to an Arrow file, which is mapped instead of loaded."""


def read_image_caption(source: Source, block: ImageCaption) -> Table:
    """Read a table with a column of image paths and one of captions.

    Raises:
        DataError: if the table is missing, empty, malformed or has other columns.
    """
    path = Path(block.table)
    kind = SUFFIXES.get(path.suffix.lower())
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise DataError(f"the table `{path}` of `{source.name}` {what}")
    if kind is None:
        known = ", ".join(SUFFIXES)
        raise DataError(f"the table `{path}` has an unknown suffix; a table ends in {known}")
    if path.stat().st_size == 0:
        raise DataError(f"the table `{path}` is empty")
    root = Path(block.root) if block.root is not None else path.parent
    if not root.is_dir():
        raise DataError(f"the image folder `{root}` of `{source.name}` does not exist")
    try:
        columns = _columns(path, kind, [block.image, block.caption]).data
    except (
        pa.ArrowInvalid,
        pa.ArrowNotImplementedError,
        pa.ArrowTypeError,
        UnicodeError,
    ) as problem:
        raise DataError(
            f"`{path}` cannot be read as {kind}: {str(problem).splitlines()[0].rstrip('.')}"
        ) from None
    images = _strings(columns.column(block.image), block.image, path)
    captions = columns.column(block.caption)
    if pa.types.is_list(captions.type) or pa.types.is_large_list(captions.type):
        parents = pc.list_parent_indices(captions)
        images, captions = images.take(parents), pc.list_flatten(captions)
    captions = _strings(captions, block.caption, path)
    keep = complete_rows(captions, images)
    incomplete = len(captions) - len(keep)
    if incomplete:
        captions, images = captions.take(keep), images.take(keep)
    return make_table(source, root, captions, images, incomplete=incomplete)


def _columns(path: Path, kind: str, wanted: list[str]) -> "Dataset":
    """Read the wanted columns, through a file that can be mapped if they are large."""
    from datasets import Dataset

    status = path.stat()
    if status.st_size <= IN_MEMORY_BYTES:
        return Dataset(pa.Table.from_batches(_batches(path, kind, wanted)))
    identity = f"{path.resolve()} {status.st_size} {status.st_mtime_ns} {wanted}"
    folder = cache_folder("tables")
    file = folder / f"{hashlib.sha256(identity.encode()).hexdigest()}.arrow"
    if not file.exists():
        # Under another name first: a reader never sees half a file.
        handle, unfinished = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "wb") as sink:
                batches = _batches(path, kind, wanted)
                first = next(batches)
                with pa.ipc.new_stream(sink, first.schema) as writer:
                    for batch in chain([first], batches):
                        writer.write_batch(batch)
            Path(unfinished).replace(file)
        finally:
            Path(unfinished).unlink(missing_ok=True)
    return Dataset.from_file(str(file))


def _batches(path: Path, kind: str, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the wanted columns piece by piece, one piece at least; DataError if there are none."""
    read = {"Parquet": _parquet_batches, "CSV": _csv_batches, "JSON Lines": _json_batches}[kind]
    empty = True
    for batch in read(path, wanted):
        empty = False
        yield batch
    if empty:
        raise DataError(f"the table `{path}` has no rows")


def _parquet_batches(path: Path, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    with pa.parquet.ParquetFile(path) as file:
        _require(wanted, file.schema_arrow.names, path)
        yield from file.iter_batches(columns=wanted)


def _csv_batches(path: Path, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    with pa.csv.open_csv(path, parse_options=parse) as reader:
        _require(wanted, reader.schema.names, path)
    # Everything is text: a caption may be a number, and `NA` is a word.
    convert = pa.csv.ConvertOptions(
        include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())
    )
    with pa.csv.open_csv(path, parse_options=parse, convert_options=convert) as reader:
        yield from reader


def _json_batches(path: Path, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    table = pa.json.read_json(path)
    _require(wanted, table.column_names, path)
    yield from table.select(wanted).to_batches()


def _require(wanted: list[str], there: list[str], path: Path) -> None:
    for name in wanted:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            names = ", ".join(f"`{column}`" for column in there)
            raise DataError(f"`{path}` has no column `{name}`; its columns are {names}{hint}")


def _strings(column: pa.ChunkedArray, name: str, path: Path) -> pa.ChunkedArray:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise DataError(f"column `{name}` of `{path}` holds {column.type}, not text")
    return column
