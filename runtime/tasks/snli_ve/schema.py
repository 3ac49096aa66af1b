"""Keys of the task `snli_ve`, and where its published files lie."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import PublishedPart, ResultFile, Split, TaskBlock
from renaissance.runtime.tasks.splits import with_validation


class SnliVe(TaskBlock):
    """Does a sentence follow from a photograph, contradict it, or neither? Source: Xie et al. 2019,
    SNLI-VE. The caption that the sentence was written for is never shown to the model.
    """

    called: ClassVar[tuple[str, ...]] = (
        "snlive",
        "snli_visual_entailment",
        "ve",
        "visual_entailment",
    )
    outputs: ClassVar[int] = 3
    result_file: ClassVar[ResultFile] = ResultFile(
        line='{"id": "2248275918.jpg#2r1c", "prediction": "contradiction"}', ids="its `pairID`"
    )

    task: Literal["snli_ve"] = "snli_ve"
    root: str = key(
        doc="folder that holds `snli_ve_train.jsonl`, `snli_ve_dev.jsonl`, `snli_ve_test.jsonl` "
        "and the photographs, in `flickr30k-images` or `Flickr30K/images`",
        impact="training",
        path="folder",
    )
    validation: Share | Literal["dev", "test"] = key(
        "dev",
        doc="split that selects the best checkpoint, or a share of the training photographs",
        impact="training",
    )

    def splits(self) -> Mapping[str, Split]:
        """Return the published splits and `validation`, one of them or a share of `train`."""
        published = {name: Split(file=name, use="report") for name in ("dev", "test")}
        return with_validation(self.validation, published)

    def part(self, file: str) -> PublishedPart:
        """Return a part of the data."""
        path = rows_of(self.root, file)
        return PublishedPart(dataset="snli_ve", folder=path, split=file, texts=path)


def rows_of(root: str, file: str) -> Path:
    """Return the file of a split: in `root`, or in `data`, as the repository of the set has it."""
    name = f"snli_ve_{file}.jsonl"
    inner = Path(root) / "data" / name
    return inner if inner.is_file() else Path(root) / name
