"""Which file a path leads to: the same one may be spelled in many ways."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LISTED = 100
"""Paths in a folder above which the folder is listed instead of asking for each of them."""


def real_paths(paths: Sequence[str]) -> list[str]:
    """Return the absolute path without symbolic links that each path leads to.

    A folder is resolved once for all of its files: files may be many, and lie on a network.

    Args:
        paths: of files, which need not exist.
    """
    split = [os.path.split(path) for path in paths]
    counts = Counter(folder for folder, _ in split)
    folders = {folder: _real(folder) for folder in counts}
    links = {
        folder: _links(folders[folder]) if count > LISTED else None
        for folder, count in counts.items()
    }
    found = []
    for folder, name in split:
        path = f"{folders[folder].rstrip('/')}/{name}"
        known = links[folder]
        linked = _is_link(path) if known is None else name in known
        found.append(_real(path) if linked or name in ("", ".", "..") else path)
    return found


def real_column(paths: pa.Array) -> pa.Array:
    """Return what `real_paths` returns for a column of strings, without a Python object for each.

    Args:
        paths: `[n]` strings, none of them null.
    """
    found = [*real_pieces([paths])]
    return pa.concat_arrays(found)


def real_pieces(column: Sequence[pa.Array]) -> Iterator[pa.Array]:
    """Yield what `real_paths` returns for the pieces of a column of strings.

    Args:
        column: pieces `[n]` of strings, none of them null.
    """
    numbers: dict[str, int] = {}
    counts = np.zeros(0, np.int64)
    for piece in column:
        heads = _heads(piece)
        number = _numbers(heads, numbers)
        counts = np.append(counts, np.zeros(len(numbers) - len(counts), np.int64))
        counts[number] += np.bincount(heads.indices.to_numpy(), minlength=len(number))
    spelled = [os.path.split(f"{head}x")[0] for head in numbers]
    real = [_real(head) for head in spelled]
    starts = pa.array([f"{head.rstrip('/')}/" for head in real], pa.string())
    links = {place: _links(real[place]) for place in np.flatnonzero(counts > LISTED).tolist()}
    for piece in column:
        heads = _heads(piece)
        folder = _numbers(heads, numbers)[heads.indices.to_numpy()]
        names = _names(piece)
        found = pc.binary_join_element_wise(starts.take(pa.array(folder)), names, "")
        yield _without_links(found, names, folder, links)


def _heads(paths: pa.Array) -> pa.DictionaryArray:
    """Return what stands before the names of files, with the slash."""
    return pc.replace_substring_regex(paths, r"[^/]*$", "").dictionary_encode()


def _names(paths: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(paths, r"(?s)^.*/", "")


def _numbers(heads: pa.DictionaryArray, numbers: dict[str, int]) -> np.ndarray:
    """Return the number of each head of a piece; new ones are added."""
    found = [numbers.setdefault(head, len(numbers)) for head in heads.dictionary.to_pylist()]
    return np.array(found, np.int64)


def _without_links(
    found: pa.Array, names: pa.Array, folder: np.ndarray, links: Mapping[int, frozenset[str]]
) -> pa.Array:
    """Follow those paths that are links themselves.

    Args:
        found: `[n]` paths in real folders.
        names: `[n]` names of the files.
        folder: `[n]` int64, numbers of the folders.
        links: names of links in folders that were listed.
    """
    apart = np.asarray(pc.is_in(names, value_set=pa.array(["", ".", ".."])))
    listed = np.isin(folder, np.fromiter(links, np.int64, len(links)))
    for place in np.flatnonzero(~listed).tolist():
        apart[place] = apart[place] or _is_link(found[place].as_py())
    for number, named in links.items():
        if named:
            linked = pc.is_in(names, value_set=pa.array(sorted(named), pa.string()))
            apart |= (folder == number) & np.asarray(linked)
    if not apart.any():
        return found
    chosen = found.filter(pa.array(apart)).to_pylist()
    return pc.replace_with_mask(
        found, pa.array(apart), pa.array([*map(_real, chosen)], pa.string())
    )


def tidy(paths: Sequence[str]) -> list[str]:
    """Return shorter spellings of paths, each of the same file.

    `b/../a` is spelled `a`, but not where `b` is a link to a folder elsewhere.
    """
    short = [os.path.normpath(path) for path in paths]
    doubtful = [place for place, path in enumerate(paths) if ".." in path]
    before = real_paths([paths[place] for place in doubtful])
    after = real_paths([short[place] for place in doubtful])
    for place, one, other in zip(doubtful, before, after, strict=True):
        if one != other:
            short[place] = paths[place]
    return short


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # no path at all, such as one with a zero byte
        return os.path.realpath(path.replace("\0", ""))


def _is_link(path: str) -> bool:
    try:
        return Path(path).is_symlink()
    except (OSError, ValueError):
        return False


def _links(folder: str) -> frozenset[str]:
    try:
        with os.scandir(folder) as entries:
            return frozenset(_named_links(entries))
    except OSError:
        return frozenset()


def _named_links(entries: Iterable["os.DirEntry[str]"]) -> Iterable[str]:
    return (entry.name for entry in entries if entry.is_symlink())
