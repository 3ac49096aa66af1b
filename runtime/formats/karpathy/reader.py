"""Karpathy's files of captions: `dataset_coco.json` and `dataset_flickr30k.json`."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.formats.captioned import (
    Captioned,
    captioned_table,
    entry,
    first_folder,
    listed,
    published,
    read_json,
    text,
)
from renaissance.runtime.formats.karpathy.schema import KarpathyPairs

FLICKR = ("flickr30k-images", "flickr30k_images", "Flickr30K/images", "images")
"""Where photographs of Flickr30k are looked for."""
HINT = "it is in Karpathy's caption_datasets.zip; `renaissance data FILE --how` says where"


def read(block: KarpathyPairs, source: Source) -> Table:
    """Read a part, a row a caption; raises DataError."""
    name = f"dataset_{block.set}.json"
    path = published(
        block.root, (name, f"karpathy/{name}", f"annotations/{name}"), source, hint=HINT
    )
    splits = ("train", "restval") if block.split == "train_restval" else (block.split,)

    @cache
    def lies_in(folder: str) -> str:
        return first_folder(block.root, FLICKR if not folder else (folder, f"images/{folder}"))

    images = [
        _image(image, number, path, block.set == "coco", lies_in)
        for number, image in enumerate(listed(read_json(path), "images", path))
        if _split(image, number, path) in splits
    ]
    if not images:
        raise DataError(f"`{path}` has no image of the split `{block.split}`")
    return captioned_table(
        source, block.root, images, ("coco" if block.set == "coco" else "flickr",)
    )


def _split(image: Any, number: int, path: Path) -> str:
    with entry(path, number, "image"):
        return text(image["split"])


def _image(
    image: Any, number: int, path: Path, coco: bool, lies_in: Callable[[str], str]
) -> Captioned:
    with entry(path, number, "image"):
        file = text(image["filename"])
        folder = lies_in(text(image["filepath"]) if coco else "")
        names = {"coco": str(int(image["cocoid"]))} if coco else {"flickr": Path(file).stem}
        captions = list(_captions(image["sentences"]))
        return Captioned(path=f"{folder}/{file}", captions=captions, names=names)


def _captions(sentences: list[dict[str, Any]]) -> Iterator[str]:
    for sentence in sentences:
        raw = sentence["raw"] if "raw" in sentence else " ".join(sentence["tokens"])
        yield text(raw)
