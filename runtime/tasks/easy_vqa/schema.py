"""Keys of the task `easy_vqa`."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import PublishedPart, ResultFile, Split, TaskBlock
from renaissance.runtime.tasks.splits import with_validation


class EasyVqa(TaskBlock):
    """Questions about simple shapes, one of 13 answers. Source: easy-vqa on PyPI."""

    result_file: ClassVar[ResultFile] = ResultFile(line='{"id": 0, "prediction": "circle"}')

    task: Literal["easy_vqa"] = "easy_vqa"
    root: str | None = key(
        None,
        doc="folder of the data; the installed package if absent",
        impact="training",
        path="folder",
    )
    text: Literal["question", "none"] = key(
        "question",
        doc="what the model reads beside the image; `none`: nothing, and the answer is the colour "
        "and the shape that the image shows, one of 24, where its questions tell both",
        impact="weights",
    )
    validation: Share = key(
        Share(0.05),
        doc="share of the training images held out to select the best checkpoint",
        impact="training",
    )

    @property
    def outputs(self) -> int:  # type: ignore[override]
        """Answers to questions, or kinds of images."""
        return 13 if self.has_text else 24

    @property
    def has_text(self) -> bool:  # type: ignore[override]
        """Whether rows are questions, rather than images alone."""
        return self.text == "question"

    def splits(self) -> Mapping[str, Split]:
        """Return `train`, `test`, and `validation`, a share of the images of `train`."""
        return with_validation(self.validation, {"test": Split(file="test", use="report")})

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
