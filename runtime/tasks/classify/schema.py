"""Keys of the task `classify`."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.remark import Remark
from renaissance.runtime.tasks.prompts import Prompted
from renaissance.runtime.tasks.tabular import Classes, TabularTask, class_count, class_remarks


class Classify(Prompted, TabularTask):
    """Which class is an image, a text, or a text about an image? From tables, or from folders that
    hold a folder of images for each class.
    """

    called: ClassVar[tuple[str, ...]] = (
        "image_classification",
        "text_classification",
        "image_text_classification",
    )

    task: Literal["classify"] = "classify"
    text: str | None = key(
        "text",
        doc="column of texts; `none`: rows have no text. A folder a class has none anyway",
        impact="training",
        name=True,
    )
    label: str = key("label", doc="column of classes", impact="training", name=True)
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
        yield from class_remarks(self.classes)
        yield from super().remarks()
