"""The official measures of each task."""

from renaissance.runtime.data.targets import Numbers
from renaissance.runtime.tasks.agreement import correlations, f1, matthews
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.classification import measure as accuracy
from renaissance.runtime.tasks.glue.schema import Glue

F1 = frozenset({"mrpc", "qqp"})
"""Tasks measured by the F1 of their second class, beside the accuracy."""
MATTHEWS = frozenset({"cola", "ax"})
"""Tasks measured by the correlation of Matthews."""


def measure(block: Glue, answered: Answered) -> dict[str, float]:
    """Measure what is known; a row without an answer is wrong."""
    known = answered.targets
    if known is None or not len(answered.asked):
        return {}
    if isinstance(known, Numbers):
        return correlations(answered.predictions, known.of(answered.rows)) if len(answered) else {}
    found = accuracy(block, answered)
    said = dict(zip(answered.rows.tolist(), answered.said, strict=True))
    predicted = [said.get(row, "") for row in answered.asked.tolist()]
    right = answered.column_of_asked("answer")
    if block.subtask in F1:
        found["f1"] = f1(predicted, right, block.layout.classes[1])
    if block.subtask in MATTHEWS:
        found["matthews"] = matthews(predicted, right)
    return found
