"""Rows of a table with any number of classes each."""

from functools import partial
from typing import Any

import pyarrow as pa

from renaissance.runtime.data.fields import as_name
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Source, Table
from renaissance.runtime.data.targets import LabelSets, Shares
from renaissance.runtime.tasks.classification import declared
from renaissance.runtime.tasks.multilabel.schema import Multilabel
from renaissance.runtime.tasks.table_rows import read_rows, texts_of


def read(block: Multilabel, source: Source, file: str) -> Table:
    """Read one table; raises DataError. A row without classes has none of them."""
    texts = texts_of(block, block.text, source)
    rows = read_rows(block, source, file, texts=texts, others=(block.labels,))
    labels = rows.of_kept(rows.fields.column(block.labels, partial(_labels, block.separator)))
    columns = {
        "labels": pa.array(labels, pa.list_(pa.string())),
        "labelled": pa.array([names is not None for names in labels]),
    }
    answers = [None if names is None else ", ".join(names) for names in labels]
    return rows.table(answers=answers, columns=columns)


def answers(block: Multilabel, train: Part) -> tuple[str, ...]:
    """Return the classes; raises DataError where the data have others."""
    labels = train.table.column("labels").take(pa.array(train.rows)).to_pylist()
    return declared(block.classes, train, (name for names in labels for name in names or ()))


def targets(block: Multilabel, table: Table, answers: tuple[str, ...]) -> LabelSets:
    """Return the classes of each row; names that are no class are left out."""
    number = {name: place for place, name in enumerate(answers)}
    labels = table.column("labels").to_pylist()
    rows = [[(number[name], 1.0) for name in names or () if name in number] for names in labels]
    return LabelSets(shares=Shares.listed(rows, len(answers)), labelled=table.labelled)


def wanted(block: Multilabel, table: Table) -> tuple[tuple[str, ...], bool]:
    """Return names of classes, of which a file says all, and whether there are no others."""
    if not isinstance(block.classes, int):
        return block.classes, True
    labels = table.column("labels").to_pylist()
    return tuple(sorted({name for names in labels for name in names or ()})), False


def _labels(separator: str, value: Any) -> list[str]:
    """Return the names in a list or a text, each once."""
    if not isinstance(value, list):
        value = as_name(value).split(separator)
    return [name for name in dict.fromkeys(map(as_name, value)) if name]
