"""Which images paths lead to: each is one, however often and in whatever spelling it is named."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.many_texts import TextColumn, numbered, pieces
from renaissance.runtime.data.real_paths import real_pieces, tidy

ODD = r"^/|^$|//|/$|(^|/)\.\.?(/|$)|\x00"
"""Paths that may be spelled in a shorter way, or start from elsewhere."""


def distinct_images(
    paths: TextColumn | Sequence[TextColumn], root: str | os.PathLike[str]
) -> tuple[pa.ChunkedArray, np.ndarray]:
    """Return the paths of distinct images, and `[views, texts]` int32, the image of each text."""
    views = [paths] if isinstance(paths, TextColumn) else paths
    given = [pc.fill_null(piece.cast(pa.string()), "") for view in views for piece in pieces(view)]
    spelling, first = numbered(given)
    spelled = [_spelled(root, paths) for paths in _chosen(given, first)]
    distinct, number = distinct_files(spelled)
    return distinct, number[spelling].reshape(len(views), -1)


def _chosen(column: Iterable[pa.Array], chosen: np.ndarray) -> Iterator[pa.Array]:
    """Yield the chosen values of the pieces of a column; `chosen` is `[values]` bool."""
    start = 0
    for piece in column:
        yield piece.filter(pa.array(chosen[start : start + len(piece)]))
        start += len(piece)


def _spelled(root: str | os.PathLike[str], paths: pa.Array) -> pa.Array:
    """Return paths as they are opened: from the folder that they start from, without detours."""
    start = tidy([str(Path(root))])[0]
    start = "" if start == "." else f"{start.rstrip('/')}/"
    plain = pc.binary_join_element_wise(start, paths, "")
    apart = pc.match_substring_regex(paths, ODD)
    if not pc.any(apart).as_py():
        return plain
    named = paths.filter(apart).to_pylist()
    spelled = tidy([str(Path(root, path)) for path in named])
    said = [path if name else "" for name, path in zip(named, spelled, strict=True)]
    return pc.replace_with_mask(plain, apart, pa.array(said, pa.string()))


def distinct_files(paths: Sequence[pa.Array]) -> tuple[pa.ChunkedArray, np.ndarray]:
    """Return the distinct files by their first spelling, and the number of each path's file."""
    number, first = numbered(real_pieces(paths))
    kept = paths if first.all() else _chosen(paths, first)
    return pa.chunked_array(kept, pa.string()), number
