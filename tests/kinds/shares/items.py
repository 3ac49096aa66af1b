"""Shares of credit are wanted."""

from dataclasses import replace

from renaissance.compiler.expected import Expected, Shape, one_a_row
from tests.kinds.shares.schema import SharesOfCredit


def expected(block: SharesOfCredit, shape: Shape) -> Expected:
    """Return what a pass is asked for."""
    return replace(one_a_row(block, shape), target="shares")
