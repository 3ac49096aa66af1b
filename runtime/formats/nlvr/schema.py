"""Keys of the format `nlvr`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock, PublishedPart
from renaissance.runtime.tasks.nlvr.schema import nlvr_part


class NlvrPairs(FormatBlock):
    """Cornell NLVR v1 in its published layout; captions are sentences true of their image."""

    says_sides: ClassVar[bool] = True

    format: Literal["nlvr"] = "nlvr"
    root: str = key(
        doc="folder that holds `train`, `dev` or `test`", impact="training", path="folder"
    )
    split: str = key("train", doc="which part: the name of a folder", impact="training", name=True)

    @property
    def part(self) -> PublishedPart:
        """The part that it holds."""
        return nlvr_part(self.root, self.split)
