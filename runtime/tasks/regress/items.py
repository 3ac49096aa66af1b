"""An item a row, of which a number is wanted."""

from dataclasses import replace

from renaissance.compiler.expected import Expected, Shape
from renaissance.runtime.tasks import tabular_items
from renaissance.runtime.tasks.regress.schema import Regress


def expected(block: Regress, shape: Shape) -> Expected:
    """Return what a pass is asked for."""
    return replace(tabular_items.expected(block, shape), target="number")
