"""Answers to rows, as a table for people and programs."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from renaissance.grammar.source import SourceError
from renaissance.grammar.writing import replacing

Entry = Mapping[str, Any]
"""What is said of a row: `id`, `prediction`, `probability`, and what else there is."""

FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}
"""What a suffix says about a file."""
ALWAYS = ("id", "prediction", "probability")
"""Columns that are there in any case."""


def write_answers(path: Path, entries: Sequence[Entry]) -> None:
    """Write answers as the suffix of a file says; the file appears whole.

    Raises:
        SourceError: if it cannot be written.
    """
    form = FORMATS[path.suffix.lower()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as place:
            if form == "parquet":
                _write_parquet(place, entries)
            else:
                place.write_text(rendered(entries, form), encoding="utf-8", newline="")
    except OSError as problem:
        raise SourceError(f"`{path}` cannot be written: {problem.strerror}") from None


def rendered(entries: Sequence[Entry], form: str) -> str:
    """Return answers as CSV or JSON Lines."""
    if form == "jsonl":
        return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = _columns(entries)
    writer.writerow(names)
    for entry in entries:
        writer.writerow([_cell(entry.get(name)) for name in names])
    return text.getvalue()


def _columns(entries: Sequence[Entry]) -> list[str]:
    return list(dict.fromkeys([*ALWAYS, *(name for entry in entries for name in entry)]))


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else value


def _write_parquet(path: Path, entries: Sequence[Entry]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: [entry.get(name) for entry in entries] for name in _columns(entries)}
    several = {name: isinstance(of[0], Mapping) for name, of in columns.items() if of}
    table = pa.table(
        {
            name: pa.array([list((one or {}).items()) for one in of], pa.map_("string", "double"))
            if several.get(name)
            else pa.array(of)
            for name, of in columns.items()
        }
    )
    pq.write_table(table, path)
