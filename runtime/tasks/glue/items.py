"""A text, or two as one, with an image of one colour or without one."""

from dataclasses import replace

from renaissance.compiler.expected import Expected, Shape, one_a_row
from renaissance.runtime.data.rows import OneARow
from renaissance.runtime.data.wanted import Context
from renaissance.runtime.tasks.glue.schema import Glue


def expected(block: Glue, shape: Shape) -> Expected:
    """Return what a pass is asked for: all rows see one image, or none."""
    asked = replace(one_a_row(block, shape), shown=1 if block.image == "blank" else 0)
    return asked if block.layout.classes else replace(asked, target="number")


def prepare(block: Glue, context: Context) -> OneARow:
    """Return what makes the items."""
    return OneARow(context=context, alone=block.image == "none")
