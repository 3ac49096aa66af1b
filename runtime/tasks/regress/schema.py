"""Keys of the task `regress`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.data import ResultFile
from renaissance.grammar.kinds.quantity import CORRELATION, ERROR, NEGATIVE_ERROR, Quantity
from renaissance.runtime.tasks.tabular import TabularTask


class Regress(TabularTask):
    """Which number belongs to an image, a text, or a text about an image?"""

    outputs: ClassVar[int] = 1
    metric: ClassVar[str] = "negative_squared_error"
    metrics: ClassVar[tuple[str, ...]] = ("pearson", "spearman")
    reported: ClassVar[tuple[str, ...]] = ("rmse",)
    quantities: ClassVar[Mapping[str, Quantity]] = {
        "negative_squared_error": NEGATIVE_ERROR,
        "pearson": CORRELATION,
        "spearman": CORRELATION,
        "rmse": ERROR,
    }
    result_file: ClassVar[ResultFile] = ResultFile(
        line='{"id": 0, "prediction": 3.5}', ids=TabularTask.result_file.ids
    )

    task: Literal["regress"] = "regress"
    text: str | None = key(
        "text", doc="column of texts; `none`: rows have no text", impact="training", name=True
    )
    target: str = key("target", doc="column of numbers", impact="training", name=True)
