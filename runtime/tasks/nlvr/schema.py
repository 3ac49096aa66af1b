"""Keys of the task `nlvr`."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import PublishedPart, ResultFile, Split, TaskBlock
from renaissance.runtime.tasks.splits import with_validation


class Nlvr(TaskBlock):
    """Is a sentence true of an image? Source: Suhr et al. 2017, Cornell NLVR."""

    outputs: ClassVar[int] = 2
    says_sides: ClassVar[bool] = True
    result_file: ClassVar[ResultFile] = ResultFile(
        line='{"id": 0, "prediction": "true"}',
        ids="the number of the row, counted from 0: six drawings of each sentence, one behind the "
        "other",
    )
    open_splits: ClassVar[bool] = True

    task: Literal["nlvr"] = "nlvr"
    root: str = key(
        doc="folder that holds `train`, `dev` or `test`", impact="training", path="folder"
    )
    train: str = key("train", doc="folder to learn from", impact="training", name=True)
    validation: Share | str = key(
        "dev",
        doc="folder that selects the best checkpoint, or a share of the training sentences",
        impact="training",
        name=True,
    )

    def splits(self) -> Mapping[str, Split]:
        """Return `train` and `validation`; every other folder is a split of its own."""
        return with_validation(self.validation, train=self.train)

    def part(self, file: str) -> PublishedPart:
        """Return a part of the data."""
        return nlvr_part(self.root, file)


def nlvr_part(root: str, file: str) -> PublishedPart:
    """Return a part of NLVR in its published layout."""
    folder = Path(root) / file
    return PublishedPart(dataset="nlvr", folder=folder, split=file, texts=folder / f"{file}.json")
