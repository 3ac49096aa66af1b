"""Reading the tables that formats and tasks name, each by the `reader.py` of its kind."""

from renaissance.grammar.kinds.data import FormatBlock, TaskBlock
from renaissance.grammar.kinds.registry import facet
from renaissance.runtime.data.table import Source, Table


def read_pairs(pairs: FormatBlock, name: str) -> Table:
    """Read a data block of a spec; raises DataError."""
    source = Source(name=name, max_unreadable=pairs.max_unreadable)
    table: Table = facet(pairs, "reader").read(pairs, source)
    return table if pairs.weight == 1 else table.weighted(pairs.weight)


def read_task(task: TaskBlock, file: str, *, shown: bool = True) -> Table:
    """Read one file of a task's data, such as `test`; raises DataError.

    Args:
        task: says where the data lie.
        file: part of the published data.
        shown: whether a model is shown texts and images, so that they have to be there.
    """
    source = Source(name=f"{task.word()} {file}", max_unreadable=task.max_unreadable, shown=shown)
    table: Table = facet(task, "reader").read(task, source, file)
    return table
