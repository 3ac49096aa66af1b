"""Tables of image paths and captions."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.columns import (
    KINDS,
    parquet_batches,
    parquet_schema,
    read_columns,
)
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.joining import as_one_block, join
from renaissance.runtime.data.many_texts import taken
from renaissance.runtime.data.mapped import mapped
from renaissance.runtime.data.table import Source, Table, complete_rows, make_table
from renaissance.runtime.formats.embedded import embedded_table, holds_images
from renaissance.runtime.formats.image_caption.schema import ImageCaption

IN_MEMORY_BYTES = 64 * 1024**2
"""Larger tables are converted once to an Arrow file, which is mapped instead of loaded."""
LAYOUT = 3
"""Number of the form of these files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What is read of a table.

    Attributes:
        path: of the table.
        images: paths, or images themselves.
        captions: their texts.
        others: texts of the columns of splits and weights, as far as they are asked for.
    """

    path: Path
    images: pa.ChunkedArray
    captions: pa.ChunkedArray
    others: tuple[pa.ChunkedArray, ...]


def read(block: ImageCaption, source: Source) -> Table:
    """Read tables with a column of image paths, or of images, and one of captions.

    Raises:
        DataError: if a table is missing, empty, malformed or has other columns.
    """
    if not block.tables:
        raise DataError(f"`table` of `{source.name}` is an empty list")
    return as_one_block(join([_read(block, Path(path), source) for path in block.tables]), source)


def _read(block: ImageCaption, path: Path, source: Source) -> Table:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is no file" if path.exists() else _absent(path)
        raise DataError(f"the table `{path}` of `{source.name}` {what}")
    if path.suffix.lower() not in KINDS:
        known = ", ".join(KINDS)
        raise DataError(f"the table `{path}` has an unknown suffix; a table ends in {known}")
    if path.stat().st_size == 0:
        raise DataError(f"the table `{path}` is empty")
    root = Path(block.root) if block.root is not None else path.parent
    if not root.is_dir():
        raise DataError(f"the image folder `{root}` of `{source.name}` does not exist")
    columns, weights = _chosen(block, _columns(path, block))
    if holds_images(columns.images.type):
        return embedded_table(
            source, root, columns.images, columns.captions, where=str(path), weights=weights
        )
    keep = complete_rows(columns.captions, columns.images)
    images, captions, incomplete = columns.images, columns.captions, 0
    if len(keep) < len(captions):
        incomplete = len(captions) - len(keep)
        captions, images = taken(captions, keep), taken(images, keep)
        weights = None if weights is None else weights[keep]
    columns_of_rows = None if weights is None else {"weight": pa.array(weights)}
    return make_table(
        source, root, captions, images, columns=columns_of_rows, incomplete=incomplete
    )


def _absent(path: Path) -> str:
    return "leads nowhere" if path.is_symlink() else "does not exist"


def _others(block: ImageCaption) -> tuple[str, ...]:
    split = () if block.split is None else (block.split_column,)
    return split if block.weight_column is None else (*split, block.weight_column)


def _columns(path: Path, block: ImageCaption) -> Columns:
    """Read the wanted columns, through a file that can be mapped if they are large."""
    others = _others(block)
    wanted = (block.image, block.caption, *others)
    status = path.stat()

    def texts() -> Iterable[pa.RecordBatch]:
        return read_columns(path, block.image, block.caption, others, separator=block.separator)

    def images() -> Iterable[pa.RecordBatch]:
        return parquet_batches(path, wanted)

    embedded = _holds_images(path, block.image)
    batches: Callable[[], Iterable[pa.RecordBatch]] = images if embedded else texts
    table = None
    if embedded or status.st_size > IN_MEMORY_BYTES:
        identity = f"{LAYOUT} {path.resolve()} {status.st_size} {status.st_mtime_ns} {wanted}"
        identity += block.separator or ""
        name = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()
        table = mapped(name, batches)
    if table is None:
        table = pa.Table.from_batches(batches())
    if len(table) == 0:
        raise DataError(f"the table `{path}` has no rows")
    shown, said, *more = table.columns
    return Columns(path=path, images=shown, captions=said, others=tuple(more))


def _holds_images(path: Path, name: str) -> bool:
    if KINDS[path.suffix.lower()] != "Parquet":
        return False
    schema = parquet_schema(path)
    place = schema.get_field_index(name)
    return place >= 0 and holds_images(schema.field(place).type)


def _chosen(block: ImageCaption, columns: Columns) -> tuple[Columns, np.ndarray | None]:
    """Return the rows of the wanted split that ever come, and how often each does."""
    keep = np.ones(len(columns.captions), bool)
    if block.split is not None:
        said = columns.others[0].cast(pa.string())
        keep &= np.asarray(pc.fill_null(pc.equal(said, block.split), False))
        if not keep.any():
            there = ", ".join(f"`{name}`" for name in pc.unique(said).to_pylist()[:5])
            raise DataError(
                f"no row of `{columns.path}` has `{block.split}` in `{block.split_column}`, which "
                f"says {there}"
            )
    weights = None
    if block.weight_column is not None:
        weights = _weights(columns, block.weight_column)
        keep &= weights > 0
        if not keep.any():
            raise DataError(f"no row of `{columns.path}` ever comes: `{block.weight_column}` is 0")
    if keep.all():
        return columns, weights
    rows = np.flatnonzero(keep)
    chosen = Columns(
        path=columns.path,
        images=taken(columns.images, rows),
        captions=taken(columns.captions, rows),
        others=(),
    )
    return chosen, None if weights is None else weights[keep]


def _weights(columns: Columns, name: str) -> np.ndarray:
    """Return what a column of numbers says; raises DataError for anything else."""
    said = columns.others[-1]
    try:
        weights: np.ndarray = said.cast(pa.float64()).to_numpy()
    except pa.ArrowException as problem:
        raise DataError(f"`{name}` of `{columns.path}` is no number: {problem}") from None
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(f"row {row + 1} of `{columns.path}` has no weight of 0 or more in `{name}`")
    return weights
