"""Conceptual Captions: the published table, and what downloaders make of it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.published import published
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.formats.conceptual_captions.how import TABLES
from renaissance.runtime.formats.conceptual_captions.schema import ConceptualCaptions
from renaissance.runtime.formats.downloads import (
    Downloads,
    Row,
    downloaded_shards,
    downloaded_table,
    hint_of,
    listed_pairs,
    shards_of,
)

NAMES = ["caption", "url"]
"""Names of the columns, which people write above the published table for img2dataset."""
HINT = (
    "images lie in `training` or `validation`, named after a checksum of their address, or in "
    "`images`, by its last part; `renaissance data FILE --how` says more"
)


def read(block: ConceptualCaptions, source: Source) -> Table:
    """Read all pairs whose image is there; raises DataError."""
    return downloaded_table(source, block.root, _rows(block, source), hint=HINT)


def _rows(block: ConceptualCaptions, source: Source) -> Iterable[Row]:
    root = Path(block.root)
    if (block.set, block.split) not in TABLES:
        raise DataError(
            f"`{source.name}`: {block.set} has no `{block.split}`, all of it is `train`"
        )
    short = "train" if block.split == "train" else "val"
    if shards := shards_of(root / block.split) or shards_of(root):
        return downloaded_shards(root, shards)
    places = (*TABLES[block.set, block.split], f"{short}_annot.json")
    path = published(root, places, source.name, hint=hint_of(root, HINT))
    if path.suffix == ".json":
        return listed_pairs(path)
    folder = "training" if block.split == "train" else "validation"
    return _of_table(path, Downloads(root, (folder, "images")), block.set == "cc12m")


def _of_table(path: Path, files: Downloads, address_first: bool) -> Iterator[Row]:
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            values = line.rstrip("\r\n").split("\t")
            if number == 1 and sorted(values) == NAMES:
                address_first = values[0] == NAMES[1]
                continue
            if len(values) != 2:
                what = "address TAB caption" if address_first else "caption TAB address"
                raise DataError(f"line {number} of `{path}` is not `{what}`")
            caption, address = reversed(values) if address_first else values
            yield Row(files.path(address), caption, address)
