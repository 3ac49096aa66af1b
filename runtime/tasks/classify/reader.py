"""Rows of a table, or of a folder for each class."""

from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.tasks.classification import declared, targets
from renaissance.runtime.tasks.classify.schema import Classify
from renaissance.runtime.tasks.table_rows import read_folder, read_labelled, read_rows, texts_of

__all__ = ["answers", "read", "targets"]


def read(block: Classify, source: Source, file: str) -> Table:
    """Read one table or folder; raises DataError."""
    path = block.table(file)
    if path.is_dir():
        return read_folder(source, path)
    texts = texts_of(block, block.text, source)
    rows = read_rows(block, source, file, texts=texts, others=(block.label,))
    return read_labelled(rows, block.label)


def answers(block: Classify, train: Part) -> tuple[str, ...]:
    """Return the classes; raises DataError where the data have others."""
    return declared(block.classes, train, train.answers)
