"""Keys of the task `multilabel`."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import ResultFile
from renaissance.grammar.kinds.remark import Remark
from renaissance.runtime.tasks.tabular import Classes, TabularTask, class_count, class_remarks


class Multilabel(TabularTask):
    """Which classes, any number of them, has an image, a text, or a text about an image?"""

    metric: ClassVar[str] = "precision@1"
    metrics: ClassVar[tuple[str, ...]] = ("mean_average_precision", "f1.micro", "f1.macro")
    result_file: ClassVar[ResultFile] = ResultFile(
        line='{"id": 0, "prediction": "cat", "probabilities": {"cat": 0.9, "dog": 0.2}}',
        ids=TabularTask.result_file.ids,
        more="probabilities",
    )

    task: Literal["multilabel"] = "multilabel"
    text: str | None = key(
        "text", doc="column of texts; `none`: rows have no text", impact="training", name=True
    )
    labels: str = key(
        "labels",
        doc="column of the classes of a row: a list in JSON Lines and Parquet, or a text",
        impact="training",
        name=True,
    )
    separator: str = key(
        ",", doc="stands between classes in a text", impact="training", min_length=1
    )
    classes: Classes = key(
        doc="how many classes there are, or their names in their order",
        impact="weights",
        unit="classes",
        name=True,
    )

    @property
    def outputs(self) -> int:  # type: ignore[override]
        """Scores of an item."""
        return class_count(self.classes)

    def remarks(self) -> Iterable[Remark]:
        """Return what is wrong with its keys."""
        return class_remarks(self.classes)
