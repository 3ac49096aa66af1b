"""Tables whose rows a trained model is asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.runtime.data.fields import first_names, read_fields
from renaissance.runtime.predicting.asked import columns_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row of a table.

    Attributes:
        id: what it is called: the column that the task names, else `id`, else its number from 0.
        values: of the columns that the task reads.
    """

    id: Any
    values: dict[str, Any]


def read_asked(path: Path, task: TaskBlock) -> list[TableRow]:
    """Read the columns of a table that a task needs; labels are not among them.

    Raises:
        DataError: if the table is missing, empty or malformed, or has no such column.
    """
    names = list(dict.fromkeys(columns_of(task)))
    called: str = getattr(task, "id", None) or "id"
    named = path.is_file() and called in first_names(path)
    fields = read_fields(path, list(dict.fromkeys([*names, *([called] if named else [])])))
    return [
        TableRow(
            id=fields.values[called][number] if named else number,
            values={name: fields.values[name][number] for name in names},
        )
        for number in range(len(fields))
    ]


def asked_of(rows: Sequence[TableRow]) -> list[dict[str, Any]]:
    """Return what a model is asked."""
    return [row.values for row in rows]
