"""A large table as an Arrow file that is mapped instead of loaded, with a checksum of its own."""

import mmap
import os
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

import pyarrow as pa
import xxhash

from renaissance.grammar.writing import replacing
from renaissance.runtime.caches import cache_folder

CHECK_BYTES = 16
Batches = Callable[[], Iterable[pa.RecordBatch]]


def mapped(name: str, batches: Batches) -> pa.Table | None:
    """Return a table from its file, which is written if there is none, or none that is whole.

    Args:
        name: of the table and all that it was made of.
        batches: makes it anew, a batch at least.

    Returns:
        None where nothing can be kept: the disk is full, or not to be written to.
    """
    try:
        file = cache_folder("tables") / f"{name}.arrow"
        if not _whole(file):
            _write(file, batches)
        return pa.ipc.open_stream(pa.memory_map(str(file))).read_all()
    except OSError:
        return None


def _write(file: Path, batches: Batches) -> None:
    with replacing(file, shared=True) as draft, draft.open("w+b") as sink:
        pieces = iter(batches())
        first = next(pieces)
        with pa.ipc.new_stream(sink, first.schema) as writer:
            for piece in chain([first], pieces):
                writer.write_batch(piece)
        sink.flush()
        sink.write(_check(sink.fileno(), sink.tell()))


def _whole(file: Path) -> bool:
    """Tell whether a file is there and is what was written."""
    try:
        with file.open("rb") as source:
            size = os.fstat(source.fileno()).st_size - CHECK_BYTES
            if size <= 0:
                return False
            source.seek(size)
            return source.read() == _check(source.fileno(), size)
    except FileNotFoundError:
        return False


def _check(descriptor: int, size: int) -> bytes:
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data, memoryview(data) as view:
        return xxhash.xxh3_128_digest(view[:size])
