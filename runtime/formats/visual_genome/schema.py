"""Keys of the format `visual_genome`."""

from pathlib import Path
from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock, PublishedPart


class VisualGenome(FormatBlock):
    """Visual Genome's images; a text is the phrase about one of its regions. Source: Krishna et al.
    2017. About half of the photographs are COCO's, those of Karpathy's `val` and `test` among them.
    """

    format: Literal["visual_genome"] = "visual_genome"
    root: str = key(
        doc="folder that holds `region_descriptions.json`, `image_data.json`, which says what COCO "
        "and Flickr call a photograph, and the images in `VG_100K` and `VG_100K_2`",
        impact="training",
        path="folder",
    )
    phrases: int | None = key(
        None,
        doc="phrases about an image that an epoch shows, about so many of them drawn anew for each "
        "epoch; all if absent",
        impact="training",
        unit="phrases",
        ge=1,
        le=10_000,
    )

    @property
    def part(self) -> PublishedPart:
        """The part that it holds."""
        return PublishedPart(dataset="visual genome", folder=Path(self.root), split="all")
