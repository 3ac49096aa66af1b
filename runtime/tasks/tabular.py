"""Keys that tasks have in common whose rows stand in a table of one's own."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.data import VALIDATION, PublishedPart, ResultFile, Split, TaskBlock
from renaissance.grammar.kinds.remark import Remark
from renaissance.grammar.paths import is_folder
from renaissance.runtime.tasks.splits import with_validation

Classes = Annotated[int, Field(ge=1)] | tuple[str, ...]
"""How many classes there are, or their names."""


class TabularTask(TaskBlock):
    """A task whose rows stand in CSV, JSON Lines or Parquet tables."""

    result_file: ClassVar[ResultFile] = ResultFile(
        line='{"id": 0, "prediction": "cat"}',
        ids="the column that `id` of the task names, else its number, counted from 0; in a folder "
        "a class, by the path from that folder",
    )

    split_keys: ClassVar[tuple[str, ...]] = ("test",)
    learning_keys: ClassVar[Mapping[str, str]] = {"classes": "2"}
    needed_to_learn: ClassVar[tuple[str, ...]] = ("train",)

    train: str | None = key(
        None,
        doc="table to learn from; needed where something is learned",
        impact="training",
        path="file",
    )
    validation: Share | str = key(
        Share(0.05),
        doc="table that selects the best checkpoint, or a share of the training images, of the "
        "texts where there are no images",
        impact="training",
        path="file",
    )
    test: str | None = key(
        None, doc="table that is measured as split `test`", impact="eval", path="file"
    )
    root: str | None = key(
        None,
        doc="folder that image paths start from; each table's own if absent",
        impact="training",
        path="folder",
    )
    image: str | None = key(
        "image",
        doc="column of image paths, or of images themselves in Parquet; `none`: rows have no "
        "image, and the model sees one of a single colour",
        impact="training",
        name=True,
    )
    id: str | None = key(
        None,
        doc="column that names rows in files of predictions; their number if absent",
        impact="eval",
        name=True,
    )
    kind: str | None = key(
        None,
        doc="column of kinds of rows, such as what a question asks for: each is measured by itself "
        "too, as `accuracy.COLUMN=KIND`",
        impact="eval",
        name=True,
    )

    def splits(self) -> Mapping[str, Split]:
        """Return those of `train`, `validation` and `test` that there is a table for."""
        held_out = isinstance(self.validation, Share)  # or else a table of its own
        found = with_validation(self.validation if held_out else VALIDATION)
        if self.train is None:
            found = {name: split for name, split in found.items() if split.file != "train"}
        if self.test is not None:
            found["test"] = Split(file="test", use="report")
        return found

    def known_from(self, split: str) -> str:
        """Return `train` where there is a table for it."""
        return split if self.train is None else "train"

    @property
    def has_text(self) -> bool:  # type: ignore[override]
        """Whether rows have a text; images in a folder a class have none."""
        return getattr(self, "text", "") is not None and not any(map(is_folder, self._tables()))

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Names of the texts of a row."""
        name: str | None = getattr(self, "text", None)
        return (name,) if name is not None and self.has_text else ()

    @property
    def image_columns(self) -> tuple[str, ...]:
        """Name of the image of a row."""
        return () if self.image is None else (self.image,)

    def _tables(self) -> list[str]:
        """Return the tables and folders of its splits, the one that it learns from first."""
        found = (self.train, self.test, self.validation)
        return [path for path in found if isinstance(path, str)][:1]

    def table(self, file: str) -> Path:
        """Return the table, or the folder, that stands for a part."""
        return Path(str(getattr(self, file)))

    def part(self, file: str) -> PublishedPart:
        """Return a table, to be told from others."""
        path = self.table(file)
        return PublishedPart(dataset="table", folder=path, split=file, texts=path)


def class_count(classes: Classes) -> int:
    """Return how many classes there are."""
    return classes if isinstance(classes, int) else len(classes)


def class_remarks(classes: Classes) -> Iterable[Remark]:
    """Return what is wrong with names of classes."""
    if isinstance(classes, int):
        return
    twice = [name for name in dict.fromkeys(classes) if classes.count(name) > 1]
    if twice or not classes:
        what = f"the class `{twice[0]}` stands there twice" if twice else "no class stands there"
        yield Remark(code="VL405", message=f"`classes`: {what}", key="classes")
