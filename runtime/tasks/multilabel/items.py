"""An item a row, which any of the classes may have."""

from dataclasses import replace

from renaissance.compiler.expected import Expected, Shape
from renaissance.runtime.tasks import tabular_items
from renaissance.runtime.tasks.multilabel.schema import Multilabel


def expected(block: Multilabel, shape: Shape) -> Expected:
    """Return what a pass is asked for."""
    return replace(tabular_items.expected(block, shape), target="shares")
