"""The easy-VQA data set. Source: easy-vqa on PyPI, Zhou 2019."""

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.tasks.classification import answers, targets
from renaissance.runtime.tasks.easy_vqa.facts import shown_kinds
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa

__all__ = ["answers", "read", "targets"]

LAYOUT = "`train` and `test`, each with `questions.json` and `images`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Questions of a part, with answers, in their order.

    Attributes:
        questions: one a row.
        answers: one a row.
        images: number of the image of each row.
        folder: where images are, named by their numbers.
    """

    questions: tuple[str, ...]
    answers: tuple[str, ...]
    images: tuple[int, ...]
    folder: Path

    @property
    def paths(self) -> pa.Array:
        """Path of the image of each row, from `folder`."""
        return pa.array([f"{image}.png" for image in self.images], pa.string())


def read(block: EasyVqa, source: Source, file: str) -> Table:
    """Read one part, `train` or `test`: a row a question, or an image; raises DataError."""
    part = read_questions(block.root, file)
    if not block.has_text:
        return _read_images(source, part)
    return make_table(
        source,
        part.folder,
        pa.array(part.questions, pa.string()),
        part.paths,
        answers=pa.array(part.answers, pa.string()),
    )


def _read_images(source: Source, part: Questions) -> Table:
    """Return the images of which colour and shape are known, each with these."""
    shown = shown_kinds(part.questions, part.answers, np.array(part.images, np.int64))
    return make_table(
        source,
        part.folder,
        pa.array([""] * len(shown), pa.string()),
        pa.array([f"{image}.png" for image in shown], pa.string()),
        answers=pa.array(list(shown.values()), pa.string()),
    )


def read_questions(root: str | None, split: str) -> Questions:
    """Read one part.

    Args:
        root: folder that holds the parts; the installed package if None.
        split: `train` or `test`.

    Raises:
        DataError: if the package, the folder or a file is missing or malformed.
    """
    folder = Path(root) if root is not None else installed_data()
    if not folder.is_dir():
        raise DataError(f"the folder `{folder}` does not exist; `root` must hold {LAYOUT}")
    if not (folder / split).is_dir():
        raise DataError(f"easy_vqa has no split `{split}` in `{folder}`; it must hold {LAYOUT}")
    file = folder / split / "questions.json"
    if not file.is_file():
        raise DataError(f"`{file}` does not exist; `root` must hold {LAYOUT}")
    try:
        questions, answered, images = zip(*json.loads(file.read_text("utf-8")), strict=True)
        for texts in (questions, answered):
            pa.array(texts, pa.string())  # texts, and nothing else
        numbers = tuple(int(image) for image in images)
    except (ValueError, TypeError) as problem:
        raise DataError(
            f"`{file}` is not a JSON list of [question, answer, image number]: {problem}"
        ) from None
    return Questions(
        questions=questions, answers=answered, images=numbers, folder=folder / split / "images"
    )


def installed_data() -> Path:
    """Return the folder of data inside the installed easy_vqa package."""
    found = importlib.util.find_spec("easy_vqa")
    if found is None or found.origin is None:
        raise DataError("the package easy-vqa is not installed; run `pip install easy-vqa`")
    return Path(found.origin).parent / "data"
