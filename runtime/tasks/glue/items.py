"""A text, or two as one, with an image of one colour."""

from dataclasses import replace

from renaissance.compiler.expected import Expected, Shape, one_a_row
from renaissance.runtime.tasks.glue.schema import Glue


def expected(block: Glue, shape: Shape) -> Expected:
    """Return what a pass is asked for: all rows see one image."""
    asked = replace(one_a_row(block, shape), shown=1)
    return asked if block.layout.classes else replace(asked, target="number")
