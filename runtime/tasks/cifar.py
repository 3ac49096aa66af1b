"""Keys that `cifar10` and `cifar100` have in common, and where their published files lie."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import AllPairs, PublishedPart, ResultFile, Split
from renaissance.runtime.tasks.prompts import Prompted
from renaissance.runtime.tasks.splits import with_validation

SIZES = {"test": 10_000}
"""Images of published splits."""


class CifarTask(Prompted):
    """Which class does a tiny image show? Source: Krizhevsky 2009."""

    batches: ClassVar[str]
    """Folder of the batches."""
    files: ClassVar[Mapping[str, tuple[str, ...]]]
    """Batches of each split."""
    names: ClassVar[tuple[str, str]]
    """File of the names of classes, and what it calls them."""
    labels: ClassVar[str]
    """What a batch calls the numbers of classes."""
    has_text: ClassVar[bool] = False
    result_file: ClassVar[ResultFile] = ResultFile(
        line='{"id": "test_batch/0", "prediction": "cat", "best": ["cat", "dog", "deer"]}',
        ids="batch and number in it, counted from 0; in folders of images, by the path from the "
        "split's folder",
        more="best",
    )

    root: str = key(
        doc="folder that holds the batches for Python as published, unpacked, or `train` and "
        "`test` with a folder of images for each class",
        impact="training",
        path="folder",
    )
    validation: Share = key(
        Share(0.1),
        doc="share of the training images held out to select the best checkpoint",
        impact="training",
    )

    def unlearned_pairs(self, split: str) -> AllPairs | None:
        """Return every image with every text of a class."""
        if split not in SIZES:
            return None
        texts = self.outputs * len(self.prompts)
        images = SIZES[split]
        return AllPairs(images=images, texts=texts, scored=images * texts, chosen=False)

    def splits(self) -> Mapping[str, Split]:
        """Return `train`, `test`, and `validation`, a share of the images of `train`."""
        return with_validation(self.validation, {"test": Split(file="test", use="report")})

    def part(self, file: str) -> PublishedPart:
        """Return a part of the data."""
        home = self.home
        path = Path(self.root) / file if home is None else home / self.files[file][0]
        texts = None if home is None else path
        return PublishedPart(dataset=self.word(), folder=path, split=file, texts=texts)

    @property
    def home(self) -> Path | None:
        """The folder of the batches: in `root`, or `root` itself; None where there is none."""
        for folder in (Path(self.root) / self.batches, Path(self.root)):
            if (folder / self.names[0]).is_file() or (folder / self.files["test"][0]).is_file():
                return folder
        return None
