"""Keys of the format `conceptual_captions`."""

from pathlib import Path
from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock, PublishedPart


class ConceptualCaptions(FormatBlock):
    """Images of the web with their cleaned alternative texts. Source: Sharma et al. 2018, 3M;
    Changpinyo et al. 2021, 12M.
    """

    format: Literal["conceptual_captions"] = "conceptual_captions"
    root: str = key(
        doc="folder that holds the published table with `training` or `validation` beside it, "
        "where images are named after a checksum of their address; or `train_annot.json`; or "
        "folders of img2dataset",
        impact="training",
        path="folder",
    )
    set: Literal["cc3m", "cc12m"] = key("cc3m", doc="3 or 12 million pairs", impact="training")
    split: Literal["train", "validation"] = key(
        "train", doc="which part; 12M is all `train`", impact="training"
    )

    @property
    def part(self) -> PublishedPart:
        """The part that it holds."""
        return PublishedPart(dataset=self.set, folder=Path(self.root, self.split), split=self.split)
