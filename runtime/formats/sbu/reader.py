"""SBU as published, lists of addresses and captions, and as downloaders leave it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.published import listed, published, read_json
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.formats.downloads import (
    Downloads,
    Row,
    downloaded_shards,
    downloaded_table,
    hint_of,
    listed_pairs,
    shards_of,
)
from renaissance.runtime.formats.sbu.schema import Sbu

ALL = "sbu-captions-all.json"
CAPTIONS = "SBU_captioned_photo_dataset_captions.txt"
ADDRESSES = "SBU_captioned_photo_dataset_urls.txt"
FOLDERS = ("dataset", "images")
HINT = "images lie in `dataset` or `images`, by the last part of their address"


def read(block: Sbu, source: Source) -> Table:
    """Read all pairs whose image is there; raises DataError."""
    return downloaded_table(source, block.root, _rows(Path(block.root), source), hint=HINT)


def _rows(root: Path, source: Source) -> Iterable[Row]:
    if shards := shards_of(root):
        return downloaded_shards(root, shards)
    places = (ALL, CAPTIONS, "annot.json")
    path = published(root, places, source.name, hint=hint_of(root, HINT))
    if path.name == "annot.json":
        return listed_pairs(path)
    if path.name == ALL:
        content = read_json(path)
        captions, addresses = (listed(content, name, path) for name in ("captions", "image_urls"))
        return _pairs(root, path, captions, addresses)
    other = published(root, (ADDRESSES,), source.name, hint=f"`{path}` holds the captions alone")
    return _pairs(root, path, *(_lines(file) for file in (path, other)))


def _pairs(root: Path, path: Path, captions: list[str], addresses: list[str]) -> Iterator[Row]:
    if len(captions) != len(addresses):
        raise DataError(
            f"`{path}` has {len(captions):,} captions for {len(addresses):,} addresses; they "
            "belong together line by line"
        )
    files = Downloads(root, FOLDERS)
    for number, (caption, address) in enumerate(zip(captions, addresses, strict=True)):
        if not isinstance(caption, str) or not isinstance(address, str):
            raise DataError(f"entry {number} of `{path}` is no text")
        yield Row(files.path(address), caption, address)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").rstrip("\n").split("\n")
