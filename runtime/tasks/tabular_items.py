"""How much tasks with tables of one's own ask of a pass."""

from dataclasses import replace

from renaissance.compiler.expected import Expected, Shape, one_a_row
from renaissance.runtime.tasks.tabular import TabularTask


def expected(block: TabularTask, shape: Shape) -> Expected:
    """Return what a pass is asked for: rows without images see a single one."""
    asked = one_a_row(block, shape)
    return asked if block.image is not None else replace(asked, shown=1)
