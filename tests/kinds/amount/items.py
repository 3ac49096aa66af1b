"""Numbers are wanted."""

from dataclasses import replace

from renaissance.compiler.expected import Expected, Shape, one_a_row
from tests.kinds.amount.schema import Amount


def expected(block: Amount, shape: Shape) -> Expected:
    """Return what a pass is asked for."""
    return replace(one_a_row(block, shape), target="number")
