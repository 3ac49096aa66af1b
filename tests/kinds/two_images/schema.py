"""Keys of a task of tests: do two images show the same number modulo four?"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import VALIDATION, Split, TaskBlock


class TwoImages(TaskBlock):
    """A sentence about two images."""

    outputs: ClassVar[int] = 2
    views: ClassVar[int] = 2

    task: Literal["two_images"] = "two_images"
    root: str = key("", doc="folder in the layout of easy-VQA", impact="training")

    def splits(self) -> Mapping[str, Split]:
        """Return a split of each use, and one of which nobody knows what is right."""
        share = Share(0.25)
        return {
            "train": Split(file="train", use="train", held_out=share),
            VALIDATION: Split(file="train", use="select", held_out=share),
            "test": Split(file="test", use="report"),
            "hidden": Split(file="test", use="report", labelled=False),
        }
