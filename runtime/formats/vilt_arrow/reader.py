"""Arrow files of ViLT and METER: columns `image`, `caption` (a list), `image_id` and `split`."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.joining import as_one_block, join
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.formats.embedded import column_of, embedded_table, mapped_arrow
from renaissance.runtime.formats.vilt_arrow.schema import ViltArrow

OWN_NAMES = {"vg": "vg", "f30k": "flickr"}
"""Namespace of `image_id` by how the names of files begin; those of COCO hold `COCO_…` anyway."""


def read(block: ViltArrow, source: Source) -> Table:
    """Read all files, a row a caption; raises DataError."""
    paths = [path for name in block.names for path in _files(Path(block.root), name, source)]
    return as_one_block(join([_read(path, source) for path in paths]), source)


def _read(path: Path, source: Source) -> Table:
    content = mapped_arrow(path)
    images, captions = (column_of(content, name, path) for name in ("image", "caption"))
    numbers = content["image_id"].cast(pa.string()) if "image_id" in content.column_names else None
    space = next((s for start, s in OWN_NAMES.items() if path.stem.startswith(start)), None)
    names = None
    if space is not None and numbers is not None:
        names = {space: pc.replace_substring_regex(numbers, r"\.\w+$", "")}
    return embedded_table(
        source, path.parent, images, captions, where=str(path), called=numbers, names=names
    )


def _files(root: Path, name: str, source: Source) -> list[Path]:
    """Return the file of a name, or those that are numbered."""
    stem = name.removesuffix(".arrow")
    if (root / f"{stem}.arrow").is_file():
        return [root / f"{stem}.arrow"]
    numbered = re.compile(re.escape(stem) + r"_(\d+)\.arrow")
    found = [(m, path) for path in root.glob("*.arrow") if (m := numbered.fullmatch(path.name))]
    if not found:
        raise DataError(
            f"`{root / stem}.arrow` of `{source.name}` does not exist, nor does `{stem}_0.arrow`"
        )
    return [path for _, path in sorted(found, key=lambda pair: int(pair[0][1]))]
