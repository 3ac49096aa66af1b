"""Keys of the format `karpathy`."""

from pathlib import Path
from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock, PublishedPart


class KarpathyPairs(FormatBlock):
    """COCO or Flickr30k with captions, in the splits of the field. Source: Karpathy & Fei-Fei
    2015.
    """

    format: Literal["karpathy"] = "karpathy"
    root: str = key(
        doc="folder that holds `dataset_coco.json` or `dataset_flickr30k.json`, or `karpathy` with "
        "it, and the images in `train2014` and `val2014` or in `flickr30k-images`",
        impact="training",
        path="folder",
    )
    set: Literal["coco", "flickr30k"] = key("coco", doc="the data set", impact="training")
    split: Literal["train", "restval", "train_restval", "val", "test"] = key(
        "train_restval",
        doc="which part; `train_restval`: all that is neither `val` nor `test`",
        impact="training",
    )

    @property
    def part(self) -> PublishedPart:
        """The part that it holds."""
        return PublishedPart(
            dataset=f"karpathy {self.set}",
            folder=Path(self.root, self.set, self.split),
            split=self.split,
        )
