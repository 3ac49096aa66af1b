"""Keys of the task `easy_vqa`."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import VALIDATION, PublishedPart, ResultFile, Split, TaskBlock


class EasyVqa(TaskBlock):
    """Questions about simple shapes, one of 13 answers. Source: easy-vqa on PyPI."""

    outputs: ClassVar[int] = 13
    result_file: ClassVar[ResultFile] = ResultFile(line='{"id": 0, "prediction": "circle"}')

    task: Literal["easy_vqa"] = "easy_vqa"
    root: str | None = key(
        None,
        doc="folder of the data; the installed package if absent",
        impact="training",
        path="folder",
    )
    validation: Share = key(
        Share(0.05),
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

    def part(self, file: str) -> PublishedPart:
        """Return a part of the data."""
        return easy_vqa_part(self.root, file)


def easy_vqa_part(root: str | None, file: str) -> PublishedPart:
    """Return a part of easy-VQA, in a folder or in the installed package."""
    home = Path(root) if root is not None else _installed()
    folder = None if home is None else home / file
    texts = None if folder is None else folder / "questions.json"
    return PublishedPart(
        dataset="easy_vqa", folder=folder, split=file, texts=texts, installed=root is None
    )


def _installed() -> Path | None:
    found = find_spec("easy_vqa")
    return Path(found.origin).parent / "data" if found is not None and found.origin else None
