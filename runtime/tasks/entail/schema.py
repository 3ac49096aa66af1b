"""Keys of the task `entail`."""

from collections.abc import Iterable
from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.remark import Remark
from renaissance.runtime.tasks.tabular import Classes, TabularTask, class_count, class_remarks


class Entail(TabularTask):
    """How two texts and an image relate, such as whether a hypothesis follows from a premise."""

    task: Literal["entail"] = "entail"
    premise: str = key("premise", doc="column of first texts", impact="training", name=True)
    hypothesis: str = key("hypothesis", doc="column of second texts", impact="training", name=True)
    label: str = key("label", doc="column of classes", impact="training", name=True)
    classes: Classes = key(
        ("contradiction", "neutral", "entailment"),
        doc="how many classes there are, or their names in their order",
        impact="weights",
        unit="classes",
        name=True,
    )

    @property
    def outputs(self) -> int:  # type: ignore[override]
        """Scores of an item."""
        return class_count(self.classes)

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Names of the texts of a row."""
        return self.premise, self.hypothesis

    def remarks(self) -> Iterable[Remark]:
        """Return what is wrong with its keys."""
        return class_remarks(self.classes)
