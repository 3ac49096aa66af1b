"""COCO's `captions_*.json`."""

import pyarrow as pa

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.identity import at_flickr
from renaissance.runtime.data.published import (
    entry,
    first_folder,
    listed,
    published,
    read_json,
    text,
)
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.formats.captioned import Captioned, captioned_table
from renaissance.runtime.formats.coco_captions.schema import CocoCaptions

HINT = "it is in annotations_trainval*.zip of cocodataset.org"


def read(block: CocoCaptions, source: Source) -> Table:
    """Read a split, a row a caption, image by image; raises DataError."""
    name = f"captions_{block.split}.json"
    path = published(block.root, (f"annotations/{name}", name), source.name, hint=HINT)
    content = read_json(path)
    folder = first_folder(block.root, (block.split, f"images/{block.split}"))
    files: dict[int, str] = {}
    addresses: list[str] = []
    for number, image in enumerate(listed(content, "images", path)):
        with entry(path, number, "image"):
            files[int(image["id"])] = text(image["file_name"])
            addresses.append(str(image.get("flickr_url", "")))
    captions: dict[int, list[str]] = {image: [] for image in files}
    for number, annotation in enumerate(listed(content, "annotations", path)):
        with entry(path, number, "annotation"):
            image, caption = int(annotation["image_id"]), text(annotation["caption"])
        if image not in captions:
            raise DataError(
                f"annotation {number} of `{path}` is of image {image}, which is not there"
            )
        captions[image].append(caption)
    flickr = dict(zip(files, at_flickr(pa.array(addresses, pa.string())).to_pylist(), strict=True))
    images = [
        Captioned(
            path=f"{folder}/{files[image]}",
            captions=texts,
            names={"coco": str(image), "flickr": flickr[image]},
        )
        for image, texts in captions.items()
    ]
    spaces = ("coco", "flickr") if any(flickr.values()) else ("coco",)
    return captioned_table(source, block.root, images, spaces)
