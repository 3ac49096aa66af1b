"""Keys of the format `easy_vqa`."""

from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import FormatBlock, PublishedPart
from renaissance.runtime.tasks.easy_vqa.schema import easy_vqa_part


class EasyVqaPairs(FormatBlock):
    """Images of the easy-VQA package; a caption is a question followed by its answer."""

    format: Literal["easy_vqa"] = "easy_vqa"
    root: str | None = key(
        None,
        doc="folder of the data; the installed package if absent",
        impact="training",
        path="folder",
    )
    split: Literal["train", "test"] = key("train", doc="which part", impact="training")
    answers: Literal["all", "named"] = key(
        "all",
        doc="questions that become captions: all, or those whose answer is not yes or no",
        impact="training",
    )

    image: Literal["shown", "none"] = key(
        "shown",
        doc="what stands beside a caption; `none`: one image of a single colour for all of them",
        impact="training",
    )

    @property
    def part(self) -> PublishedPart:
        """The part that it holds."""
        return easy_vqa_part(self.root, self.split)
