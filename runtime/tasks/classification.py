"""Tasks whose rows have one answer out of some: what their `reader.py` and `metric.py` hand on."""

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.runtime.data.parts import Part
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.targets import Classes
from renaissance.runtime.tasks.answered import Answered


def answers(block: TaskBlock, train: Part) -> tuple[str, ...]:
    """Return the answers of what there is to learn from, in order; raises DataError for none."""
    return tuple(sorted(set(train.answers)))


def targets(block: TaskBlock, table: Table, answers: tuple[str, ...]) -> Classes:
    """Return the class of each row; raises DataError for a table without answers."""
    return Classes.named(table.answers(), answers)


def measure(block: TaskBlock, answered: Answered) -> dict[str, float]:
    """Return the share of right rows; one whose images cannot be read is wrong."""
    credit = answered.credit
    if credit is None or not len(answered.asked):
        return {}
    return {block.metric: float(answered.of_asked(credit).mean(dtype="float64"))}
