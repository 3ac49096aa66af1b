"""Visual Genome's `region_descriptions.json`: hundreds of megabytes, read entry by entry."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from renaissance.runtime.data.json_array import json_array
from renaissance.runtime.data.published import entry, published, text
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.formats.captioned import Captioned, captioned_table, distinct
from renaissance.runtime.formats.visual_genome.schema import VisualGenome

FOLDERS = ("VG_100K", "VG_100K_2", "images/VG_100K", "images/VG_100K_2", "images")
"""Where images are looked for."""
HINT = "`renaissance data FILE --how` says where it is published"
SPACES = {"coco": "coco_id", "flickr": "flickr_id"}
"""What `image_data.json` says that other sets call a photograph, by namespace."""


def read(block: VisualGenome, source: Source) -> Table:
    """Read the phrases about each image, those that are equal once; raises DataError."""
    name = "region_descriptions.json"
    path = published(block.root, (name, f"annotations/{name}"), source.name, hint=HINT)
    known = _image_data(Path(block.root))
    folders = _folders(Path(block.root))
    images = []
    for number, image in enumerate(json_array(path)):
        with entry(path, number, "image"):
            identity = int(image["id"] if "id" in image else image["image_id"])
            phrases = distinct(text(region["phrase"]) for region in image["regions"])
        file = f"{identity}.jpg"
        data = known.get(identity, {}) if known is not None else {}
        folder = folders.get(file) or _published_folder(data) or FOLDERS[0]
        names = {space: _name(data.get(field)) for space, field in SPACES.items()}
        names["vg"] = str(identity)
        images.append(Captioned(path=f"{folder}/{file}", captions=phrases, names=names))
    spaces = ("vg",) if known is None else ("vg", *SPACES)
    table = captioned_table(source, block.root, images, spaces)
    return table if block.phrases is None else _drawn(table, block.phrases)


def _drawn(table: Table, most: int) -> Table:
    """Weigh the phrases of each image so that an epoch shows about `most` of them."""
    image = table.image_of_row
    weights = np.minimum(most / np.bincount(image)[image], 1.0)
    from datasets import Dataset

    rows = table.rows.data.table.append_column("weight", pa.array(weights))
    return replace(table, rows=Dataset(rows))


def _image_data(root: Path) -> Mapping[int, dict[str, Any]] | None:
    """Return what is known of each image; None where the file is not there."""
    paths = (root / "image_data.json", root / "annotations/image_data.json")
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return None
    found = {}
    for number, image in enumerate(json_array(path)):
        with entry(path, number, "image"):
            # Older files say `id`.
            found[int(image["image_id"] if "image_id" in image else image["id"])] = image
    return found


def _folders(root: Path) -> dict[str, str]:
    """Return in which folder each image lies, by name of its file."""
    found: dict[str, str] = {}
    for folder in FOLDERS:
        if (root / folder).is_dir():
            for path in (root / folder).iterdir():
                found.setdefault(path.name, folder)
    return found


def _published_folder(data: Mapping[str, Any]) -> str | None:
    parts = str(data.get("url", "")).split("/")
    return parts[-2] if len(parts) > 1 and parts[-2] in FOLDERS else None


def _name(value: object) -> str | None:
    return None if value is None else str(value)
