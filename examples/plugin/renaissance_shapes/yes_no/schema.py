"""Keys of `yes_no`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import VALIDATION, ResultFile, Split, TaskBlock


class YesNo(TaskBlock):
    """Questions about an image that are answered by yes or no."""

    outputs: ClassVar[int] = 2
    metrics: ClassVar[tuple[str, ...]] = ("balanced_accuracy",)
    result_file: ClassVar[ResultFile] = ResultFile(
        form="a line for each row, its number and its answer", line="7,yes"
    )

    task: Literal["yes_no"] = "yes_no"
    root: str = key(
        doc="folder that holds `train.jsonl` and `test.jsonl`", impact="training", path="folder"
    )
    validation: Share = key(
        Share(0.1),
        doc="share of the training images held out to select the best checkpoint",
        impact="training",
    )

    def splits(self) -> Mapping[str, Split]:
        """Return `train`, `test`, and `validation`, a share of the images of `train`."""
        share = self.validation
        return {
            "train": Split(file="train", use="train", held_out=share),
            "test": Split(file="test", use="report"),
            VALIDATION: Split(file="train", use="select", held_out=share),
        }
