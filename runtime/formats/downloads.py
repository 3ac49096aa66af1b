"""Sets that are published as addresses of images: folders and tables that downloaders leave.

Rows are read in pieces: there are millions of them.
"""

import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.identity import at_flickr
from renaissance.runtime.data.json_array import json_array
from renaissance.runtime.data.published import entry, text
from renaissance.runtime.data.table import Source, Table, complete_rows, make_table

ROWS = 2**16
"""Rows that become a piece of a table."""
SHARD = re.compile(r"\d{5,}")
"""What img2dataset calls its folders and tables."""
IMAGES = (".jpg", ".jpeg", ".png", ".webp")
"""What it calls images."""


class Row(NamedTuple):
    """An image with a caption.

    Attributes:
        path: from the root on; empty where nobody downloaded it.
        caption: its text.
        address: where it was published, where that is known.
    """

    path: str
    caption: str
    address: str | None = None


def downloaded_table(source: Source, root: str | Path, rows: Iterable[Row], *, hint: str) -> Table:
    """Return a row for each image that was downloaded; the others count as incomplete.

    Raises:
        DataError: if there is none.
    """
    pieces, rows = [], iter(rows)
    while piece := list(islice(rows, ROWS)):
        pieces.append(
            pa.table(
                [pa.array(column, pa.string()) for column in zip(*piece, strict=True)], Row._fields
            )
        )
    if not pieces:
        raise DataError(f"`{source.name}` finds no image with a caption in `{root}`; {hint}")
    table = pa.concat_tables(pieces)
    captions = pc.utf8_trim_whitespace(table["caption"])
    keep = complete_rows(captions, table["path"])
    if len(keep) == 0:
        raise DataError(
            f"none of the {len(table):,} images of `{source.name}` is in `{root}`; {hint}"
        )
    kept = table.take(pa.array(keep))
    flickr = at_flickr(kept["address"].combine_chunks())
    return make_table(
        source,
        root,
        captions.take(pa.array(keep)),
        kept["path"],
        # An address elsewhere does not tell that a photograph is not one of Flickr's too.
        names={"flickr": flickr} if flickr.null_count == 0 else None,
        incomplete=len(table) - len(kept),
    )


def listed_pairs(path: Path) -> Iterator[Row]:
    """Yield the rows of `annot.json`, a list of paths and captions, as ViLT's authors have it."""
    for number, pair in enumerate(json_array(path)):
        with entry(path, number, "entry"):
            file, caption = pair
            yield Row(text(file), text(caption))


def shards_of(folder: Path) -> list[Path]:
    """Return the folders that img2dataset leaves, in order."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if SHARD.fullmatch(path.name) and path.is_dir())


def hint_of(root: Path, hint: str) -> str:
    """Return a hint for somebody who has no file that is read: tar files have to be unpacked."""
    if not any(SHARD.fullmatch(path.stem) and path.suffix == ".tar" for path in root.glob("*.tar")):
        return hint
    return (
        "what lies in `00000.tar` is read from a folder `00000`, as img2dataset leaves it with "
        "`--output_format files`"
    )


def downloaded_shards(root: Path, shards: Sequence[Path]) -> Iterator[Row]:
    """Yield what lies in the folders of img2dataset: `00000/000000000.jpg` with `.txt` and `.json`.

    The table beside a folder, `00000.parquet`, names what was not downloaded too.
    """
    for shard in shards:
        there = {path.stem: path for path in map(Path, _sorted(shard)) if path.suffix in IMAGES}
        table = shard.with_name(f"{shard.name}.parquet")
        rows = _of_table(table) if table.is_file() else _of_files(shard, there)
        for name, caption, address in rows:
            file = there.get(name)
            path = "" if file is None else (shard / file.name).relative_to(root).as_posix()
            yield Row(path, caption, address)


def _sorted(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))  # noqa: PTH208


def _of_table(path: Path) -> Iterator[tuple[str, str, str | None]]:
    try:
        names = pa.parquet.read_schema(path).names
        for name in ("key", "caption"):
            if name not in names:
                raise DataError(f"`{path}` has no column `{name}`")
        columns = [name for name in ("key", "caption", "url") if name in names]
        rows = pa.parquet.read_table(path, columns=columns).to_pylist()
    except (pa.ArrowException, OSError) as problem:
        raise DataError(f"`{path}` cannot be read as Parquet: {problem}") from None
    for row in rows:
        yield str(row["key"]), row["caption"] or "", row.get("url")


def _of_files(shard: Path, there: Iterable[str]) -> Iterator[tuple[str, str, str | None]]:
    for name in there:
        data = shard / f"{name}.json"
        said = _object(data) if data.is_file() else {}
        caption = shard / f"{name}.txt"
        if caption.is_file():
            yield name, caption.read_text(encoding="utf-8", errors="replace"), said.get("url")
        else:
            yield name, str(said.get("caption") or ""), said.get("url")


def _object(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise DataError(f"`{path}` is no JSON: {problem}") from None
    return found if isinstance(found, dict) else {}


class Downloads:
    """Files of a folder that are named after the address that they are from.

    Their names are the last part of the address; or end in a checksum of it, as those of the
    downloader that Conceptual Captions' users share: `0_1190078233`.
    """

    def __init__(self, root: Path, places: Sequence[str]) -> None:
        """Look into the first of some folders that is there."""
        self._folder = next((place for place in places if (root / place).is_dir()), None)
        files = [] if self._folder is None else os.listdir(root / self._folder)  # noqa: PTH208
        self._files = {file: file for file in files}
        sums = ((_SUM.fullmatch(file), file) for file in files)
        self._sums = {int(match[1]): file for match, file in sums if match is not None}

    def path(self, address: str) -> str:
        """Return the path of the image of an address; empty where it was not downloaded."""
        file = self._sums.get(zlib.crc32(address.encode())) or self._files.get(_last(address))
        return "" if file is None else f"{self._folder}/{file}"


_SUM = re.compile(r"\d+_(\d{1,10})(?:\.\w+)?")


def _last(address: str) -> str:
    try:
        return urlsplit(address).path.rpartition("/")[2]
    except ValueError:
        return ""
