"""Tables of image paths and captions."""

import hashlib
from pathlib import Path

import pyarrow as pa

from renaissance.runtime.data.columns import KINDS, read_columns
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.mapped import mapped
from renaissance.runtime.data.table import Source, Table, complete_rows, make_table
from renaissance.runtime.formats.image_caption.schema import ImageCaption

IN_MEMORY_BYTES = 64 * 1024**2
"""Larger tables are converted once to an Arrow file, which is mapped instead of loaded."""
LAYOUT = 2
"""Number of the form of these files."""


def read(block: ImageCaption, source: Source) -> Table:
    """Read a table with a column of image paths and one of captions.

    Raises:
        DataError: if the table is missing, empty, malformed or has other columns.
    """
    path = Path(block.table)
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
    columns = _columns(path, block)
    images, captions = columns.column("image"), columns.column("caption")
    keep = complete_rows(captions, images)
    incomplete = len(captions) - len(keep)
    if incomplete:
        captions, images = captions.take(keep), images.take(keep)
    return make_table(source, root, captions, images, incomplete=incomplete)


def _absent(path: Path) -> str:
    return "leads nowhere" if path.is_symlink() else "does not exist"


def _columns(path: Path, block: ImageCaption) -> pa.Table:
    """Read the wanted columns, through a file that can be mapped if they are large."""
    status, wanted = path.stat(), (block.image, block.caption)
    if status.st_size > IN_MEMORY_BYTES:
        identity = f"{LAYOUT} {path.resolve()} {status.st_size} {status.st_mtime_ns} {wanted}"
        name = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()
        kept = mapped(name, lambda: read_columns(path, *wanted))
        if kept is not None:
            return kept
    return pa.Table.from_batches(read_columns(path, *wanted))
