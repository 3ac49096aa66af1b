"""Keys of the format `sbu`."""

from pathlib import Path
from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock, PublishedPart


class Sbu(FormatBlock):
    """SBU's million photographs of Flickr with the captions of their owners. Source: Ordonez et al.
    2011.
    """

    format: Literal["sbu"] = "sbu"
    root: str = key(
        doc="folder that holds `sbu-captions-all.json`, or the two text files, with the images in "
        "`dataset` or `images` by the last part of their address; or `annot.json`; or folders of "
        "img2dataset",
        impact="training",
        path="folder",
    )

    @property
    def part(self) -> PublishedPart:
        """The part that it holds."""
        return PublishedPart(dataset="sbu", folder=Path(self.root), split="all")
