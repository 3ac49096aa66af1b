"""Accuracy, of all questions and of those of each kind."""

from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.classification import by_row as of_all
from renaissance.runtime.tasks.easy_vqa.facts import COLORS, SHAPES
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa
from renaissance.runtime.tasks.means import Mean, means, of_groups

KINDS = (
    dict.fromkeys(COLORS, "color")
    | dict.fromkeys(SHAPES, "shape")
    | dict.fromkeys(("yes", "no"), "yes/no")
)
"""What a question asks for, by its true answer."""


def measure(block: EasyVqa, answered: Answered) -> dict[str, float]:
    """Return the share of right rows, of all and as `accuracy.KIND` of those of each kind."""
    return means(by_row(block, answered))


def by_row(block: EasyVqa, answered: Answered) -> dict[str, Mean]:
    """Return what these shares are the means of."""
    found = of_all(block, answered)
    if block.has_text and found:
        kinds = [KINDS.get(answer) for answer in answered.column_of_asked("answer")]
        found |= of_groups(found["accuracy"].values, kinds, "accuracy")
    return found
