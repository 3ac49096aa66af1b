"""Rows of a table with a number each."""

import numpy as np
import pyarrow as pa

from renaissance.runtime.data.fields import as_number
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.data.targets import Numbers
from renaissance.runtime.tasks.regress.schema import Regress
from renaissance.runtime.tasks.table_rows import read_rows, texts_of


def read(block: Regress, source: Source, file: str) -> Table:
    """Read one table; raises DataError."""
    texts = texts_of(block, block.text, source)
    rows = read_rows(block, source, file, texts=texts, others=(block.target,))
    numbers = rows.of_kept(rows.fields.column(block.target, as_number))
    columns = {
        "target": pa.array(numbers, pa.float32()),
        "labelled": pa.array([number is not None for number in numbers]),
    }
    return rows.table(answers=None, columns=columns)


def answers(block: Regress, train: Part) -> tuple[str, ...]:
    """Return none: numbers have no names."""
    return ()


def targets(block: Regress, table: Table, answers: tuple[str, ...]) -> Numbers:
    """Return the number of each row."""
    values = table.column("target").to_numpy().astype(np.float32)
    return Numbers(values=values)
