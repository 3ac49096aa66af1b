"""What a pass is asked for: a question with its image a row, with credit for each answer."""

from dataclasses import replace

from renaissance.compiler.expected import Expected, Shape, one_a_row
from renaissance.runtime.tasks.vqav2.schema import Vqav2


def expected(block: Vqav2, shape: Shape) -> Expected:
    """Return what a pass is asked for."""
    return replace(one_a_row(block, shape), target="shares")
