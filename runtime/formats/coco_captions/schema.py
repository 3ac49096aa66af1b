"""Keys of the format `coco_captions`."""

from pathlib import Path
from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock, PublishedPart


class CocoCaptions(FormatBlock):
    """COCO's captions in the published layout and splits. Source: Chen et al. 2015.

    `val2014` and `train2017` hold images that Karpathy's `val` and `test` hold too.
    """

    format: Literal["coco_captions"] = "coco_captions"
    root: str = key(
        doc="folder that holds `annotations` with `captions_train2014.json` and the like, and a "
        "folder of images for each split",
        impact="training",
        path="folder",
    )
    split: Literal["train2014", "val2014", "train2017", "val2017"] = key(
        "train2014", doc="which part", impact="training"
    )

    @property
    def part(self) -> PublishedPart:
        """The part that it holds."""
        return PublishedPart(
            dataset="coco captions", folder=Path(self.root, self.split), split=self.split
        )
