"""Rows of a table: two texts, an image, a class."""

from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.tasks.classification import declared, targets
from renaissance.runtime.tasks.entail.schema import Entail
from renaissance.runtime.tasks.table_rows import read_labelled, read_rows

__all__ = ["answers", "read", "targets"]


def read(block: Entail, source: Source, file: str) -> Table:
    """Read one table; raises DataError."""
    texts = (block.premise, block.hypothesis)
    return read_labelled(
        read_rows(block, source, file, texts=texts, others=(block.label,)), block.label
    )


def answers(block: Entail, train: Part) -> tuple[str, ...]:
    """Return the classes; raises DataError where the data have others."""
    return declared(block.classes, train, train.answers)
