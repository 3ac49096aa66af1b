"""Karpathy's files of captions: `dataset_coco.json` and `dataset_flickr30k.json`."""

from pathlib import Path

from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.formats.captioned import Captioned, captioned_table
from renaissance.runtime.formats.karpathy.schema import KarpathyPairs
from renaissance.runtime.tasks.retrieval.karpathy import read_images


def read(block: KarpathyPairs, source: Source) -> Table:
    """Read a part, a row a caption; raises DataError."""
    images = [
        Captioned(
            path=one.path,
            captions=[text for _, text in one.captions],
            names={"flickr": Path(one.path).stem} if one.coco is None else {"coco": str(one.coco)},
        )
        for one in read_images(block.root, block.set, block.split, source.name, numbered=False)
    ]
    space = "coco" if block.set == "coco" else "flickr"
    return captioned_table(source, block.root, images, (space,))
