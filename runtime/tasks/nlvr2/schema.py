"""Keys of the task `nlvr2`, and where its published files lie."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import PublishedPart, ResultFile, Split, TaskBlock
from renaissance.runtime.tasks.splits import with_validation

FILES: Mapping[str, str] = {
    "train": "train.json",
    "dev": "dev.json",
    "test1": "test1.json",
    "test2": "test2.json",
    "balanced_dev": "balanced/balanced_dev.json",
    "unbalanced_dev": "unbalanced/unbalanced_dev.json",
    "balanced_test1": "balanced/balanced_test1.json",
    "unbalanced_test1": "unbalanced/unbalanced_test1.json",
}
"""Splits and their files. The balanced and the unbalanced ones are parts of `dev` and `test1`."""


class Nlvr2(TaskBlock):
    """Is a sentence true of two photographs? Source: Suhr et al. 2019, NLVR2."""

    outputs: ClassVar[int] = 2
    views: ClassVar[int] = 2
    says_sides: ClassVar[bool] = True

    task: Literal["nlvr2"] = "nlvr2"
    metrics: ClassVar[tuple[str, ...]] = ("consistency",)
    result_file: ClassVar[ResultFile] = ResultFile(
        form="the official CSV without a header, a line for each pair of images",
        line="dev-850-0-0,True",
        ids="its `identifier`",
    )
    root: str = key(
        doc="folder that holds `nlvr2/data`, and the images in `images/train`, `dev`, `test1` and "
        "`test2`",
        impact="training",
        path="folder",
    )
    validation: Share | Literal["dev", "test1", "test2"] = key(
        "dev",
        doc="split that selects the best checkpoint, or a share of the folders of training images",
        impact="training",
    )

    def splits(self) -> Mapping[str, Split]:
        """Return the published splits and `validation`, one of them or a share of `train`."""
        published = {name: Split(file=name, use="report") for name in FILES if name != "train"}
        return with_validation(self.validation, published)

    def part(self, file: str) -> PublishedPart:
        """Return a part of the data."""
        return PublishedPart(
            dataset="nlvr2",
            folder=images_of(self.root, file),
            split=file,
            texts=rows_of(self.root, file),
        )


def rows_of(root: str, file: str) -> Path:
    """Return the file of a split, where the repository of the data set has it or beside it."""
    places = [repository(root) / "data", Path(root)]
    found = (place / FILES[file] for place in places if (place / FILES[file]).is_file())
    return next(found, places[0] / FILES[file])


def repository(root: str) -> Path:
    """Return the folder that holds `data` and `util`: `nlvr2` in `root`, or `root` itself."""
    inner = Path(root) / "nlvr2"
    return inner if inner.is_dir() or not (Path(root) / "data").is_dir() else Path(root)


def images_of(root: str, file: str) -> Path:
    """Return the folder of the images of a split: some unpack all archives in `images`."""
    name = file.rpartition("_")[2]
    inner, outer = Path(root) / "images" / name, Path(root) / name
    first, second = (inner, outer) if name == "train" else (outer, inner)
    return second if second.is_dir() and not first.is_dir() else first
