"""Tasks whose rows have one answer out of some: what their `reader.py` and `metric.py` hand on."""

from collections.abc import Iterable, Sequence

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.names import listing
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.targets import Classes
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.means import Mean, means, of_groups
from renaissance.runtime.tasks.tabular import Classes as DeclaredClasses


def answers(block: TaskBlock, train: Part) -> tuple[str, ...]:
    """Return the answers of what there is to learn from, in order; raises DataError for none."""
    return tuple(sorted(set(train.answers)))


def targets(block: TaskBlock, table: Table, answers: tuple[str, ...]) -> Classes:
    """Return the class of each row; raises DataError for a table without answers.

    Args:
        block: the task.
        table: of any split.
        answers: names of the classes. The number of a class is its place among them: where a file
            of predictions is measured these are the names in it, unless the task has classes of
            its own, whose `answers` do not look at the data.
    """
    return Classes.named(table.answers(), answers)


def measure(block: TaskBlock, answered: Answered) -> dict[str, float]:
    """Return the share of right rows; one whose images cannot be read is wrong."""
    return means(by_row(block, answered))


def by_row(block: TaskBlock, answered: Answered) -> dict[str, Mean]:
    """Return what that share is the mean of."""
    credit = answered.credit
    if credit is None or not len(answered.asked):
        return {}
    return {block.metric: Mean.of_all(answered.of_asked(credit))}


def by_class(block: TaskBlock, answered: Answered) -> dict[str, float]:
    """Return the share of right rows, of all, of those of each class and of those of each kind.

    They are called `accuracy`, `accuracy.CLASS` and `accuracy.COLUMN=KIND`.
    """
    return means(by_row_and_class(block, answered))


def by_row_and_class(block: TaskBlock, answered: Answered) -> dict[str, Mean]:
    """Return what these shares are the means of."""
    found = by_row(block, answered)
    for whole in tuple(found.values()):
        for groups in (answered.column_of_asked("answer"), kinds_of(block, answered)):
            found |= of_groups(whole.values, groups, block.metric)
    return found


def kinds_of(block: TaskBlock, answered: Answered) -> list[str | None]:
    """Return the kind of each row of the split as `COLUMN=KIND`; none where no column has kinds."""
    column = getattr(block, "kind", None)
    if column is None or "kind" not in answered.table.known_of_rows:
        return [None] * len(answered.asked)
    found = answered.column_of_asked("kind")
    return [None if kind is None else f"{column}={kind}" for kind in found]


def breakdown(answered: Answered, groups: Sequence[str | None], name: str) -> dict[str, float]:
    """Return the share of right rows of each group as `NAME.GROUP`, those without rows left out.

    Args:
        answered: what is measured; a row whose images cannot be read is wrong.
        groups: of each row of the split.
        name: of the measure.
    """
    credit = answered.credit
    return {} if credit is None else means(of_groups(answered.of_asked(credit), groups, name))


def declared(classes: DeclaredClasses, train: Part, names: Iterable[str | None]) -> tuple[str, ...]:
    """Return the classes that a task declares, by name, as they are numbered.

    Args:
        classes: how many there are, or their names.
        train: what there is to learn from, or to measure where nothing is learned.
        names: of the classes that occur there, some of which nobody may know.

    Raises:
        DataError: if others occur, or another number of them.
    """
    occurring, what = sorted({name for name in names if name}), f"`{train.table.sources[0].name}`"
    if isinstance(classes, int):
        if len(occurring) != classes:
            raise DataError(
                f"{what} has {len(occurring)} classes where {classes} are wanted: "
                + listing(occurring)
            )
        return tuple(occurring)
    others = [name for name in occurring if name not in classes]
    if others:
        raise DataError(
            f"{what} has classes that `classes` does not name: {listing(others)}; "
            f"it names {listing(classes)}"
        )
    return classes
