"""Columns of a file, above all those of image paths and captions: CSV, JSON Lines, Parquet.

Files are read row by row, so that a mistake is told with its line, and nothing but the columns that
are asked for is kept: neither what else a row holds nor how long it is matters.
"""

import csv
import difflib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from renaissance.grammar.names import listing
from renaissance.runtime.data.errors import DataError

KINDS = {
    ".csv": "CSV",
    ".tsv": "CSV",
    ".jsonl": "JSON Lines",
    ".json": "JSON Lines",
    ".parquet": "Parquet",
}
"""What a file is, by its suffix."""
ROWS = 2**14
"""Rows that are read in one go."""
Row = tuple[str | None, ...]


def separator_of(path: Path) -> str:
    """Return what stands between the values of a file of CSV, by its suffix."""
    return "\t" if path.suffix.lower() == ".tsv" else ","


def read_columns(
    path: Path,
    image: str,
    caption: str,
    others: Sequence[str] = (),
    *,
    separator: str | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the paths and captions of a file piece by piece, one piece at least.

    Args:
        path: of the file; its suffix is one of `KINDS`.
        image: name of the column of paths.
        caption: name of the column of captions; lists of them are rows of their own.
        others: names of further columns, which become texts.
        separator: what stands between the values of CSV; by the suffix if absent.

    Returns:
        Columns `image`, `caption` and the others by their place, `0` being the first.

    Raises:
        DataError: if the file is malformed or has no such columns or no rows.
    """
    kind = KINDS[path.suffix.lower()]
    names = (image, caption, *others)
    if kind == "Parquet":
        batches = _parquet(path, names)
    elif kind == "CSV":
        batches = _in_batches(csv_rows(path, names, separator or separator_of(path)), path, names)
    else:
        batches = _in_batches(_json(path, names), path, names)
    empty = True
    for batch in batches:
        empty = empty and not len(batch)
        yield batch
    if empty:
        raise DataError(f"the table `{path}` has no rows")


def _schema(names: Sequence[str]) -> pa.Schema:
    others = [str(place) for place in range(len(names) - 2)]
    return pa.schema([(name, pa.string()) for name in ("image", "caption", *others)])


def _in_batches(
    rows: Iterator[tuple[Any, ...]], path: Path, names: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    while chunk := list(islice(rows, ROWS)):
        try:
            columns = [pa.array(column, pa.string()) for column in zip(*chunk, strict=True)]
        except UnicodeEncodeError as problem:
            raise DataError(
                f"`{path}` holds half of a surrogate pair, which is no text: {problem.object!r:.80}"
            ) from None
        yield pa.RecordBatch.from_arrays(columns, schema=_schema(names))


def csv_rows(
    path: Path, names: Sequence[str], separator: str | None = None
) -> Iterator[tuple[str, ...]]:
    """Yield the texts of some columns, row by row; raises DataError."""
    limit = csv.field_size_limit(sys.maxsize)
    line = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file, strict=True, delimiter=separator or separator_of(path))
            header = next((row for row in lines if row), None)
            if header is None:
                return
            _require(names, header, path)
            places, width = [header.index(name) for name in names], len(header)
            # One place more makes a tuple of a single value as well.
            chosen, several = itemgetter(*places, *places[:1]), len(places)
            line = lines.line_num
            for row in lines:
                if len(row) == width:
                    yield chosen(row)[:several]
                elif row:
                    raise _malformed(
                        path, "CSV", line, f"{len(row)} values where the header has {width}"
                    )
                line = lines.line_num
    except csv.Error as problem:
        raise _malformed(path, "CSV", line, _quotes(str(problem))) from None
    except UnicodeDecodeError as problem:
        raise _malformed(path, "CSV", line, f"no UTF-8 text ({problem.reason})") from None
    finally:
        csv.field_size_limit(limit)


def _quotes(problem: str) -> str:
    """Say what is wrong with a row of CSV in words of people who write it."""
    if "unexpected end of data" in problem:
        return 'a quote opens here, and none closes it; a quote inside of a text is written `""`'
    if "expected after" in problem:
        return (
            "a text in quotes goes on after its closing quote; a quote inside of it is written "
            '`""`, not `\\"`'
        )
    return problem


def _json(path: Path, names: Sequence[str]) -> Iterator[Row]:
    """Yield paths and captions; lists of captions are rows of their own."""
    # Whole numbers as floats, since one in another column may have any number of digits.
    for number, (shown, said, *more) in json_rows(path, names, whole=float):
        others = [_spelled(value) for value in more]
        for text in said if isinstance(said, list) else [said]:
            for name, value in zip(names, (shown, text), strict=False):
                if value is not None and not isinstance(value, str):
                    what = f"`{name}` is {_what(value)}, not text"
                    raise _malformed(path, "JSON Lines", number, what)
            yield shown, text, *others


def _spelled(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if value is None or isinstance(value, str) else json.dumps(value)


def json_rows(
    path: Path, names: Sequence[str], *, whole: Callable[[str], Any]
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield some values of each line, None where it has none, and how many lines stand before it.

    Args:
        path: of the file.
        names: of the values.
        whole: makes something of the digits of a whole number.

    Raises:
        DataError: if a line is no object, or none has a value of some name.
    """
    seen: dict[str, None] = {}
    missing = set(names)
    empty = True
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if not line.strip():
                continue
            row = _object(line, names, path, number, whole)
            empty = False
            if missing:
                missing -= row.keys()
                seen |= dict.fromkeys(row)
            yield number, tuple(map(row.get, names))
    if missing and not empty:
        _require(names, list(seen), path)


def _object(
    line: bytes, wanted: Sequence[str], path: Path, number: int, whole: Callable[[str], Any]
) -> dict[str, Any]:
    try:
        row = json.loads(line, parse_int=whole)
        if any(line.count(json.dumps(name).encode()) > 1 for name in wanted):
            _check_once(
                [key for key, _ in json.loads(line, parse_int=float, object_pairs_hook=list)],
                wanted,
                path,
            )
    except RecursionError:
        raise _malformed(path, "JSON Lines", number, "too many brackets") from None
    except ValueError as problem:
        what = str(problem).partition(": line")[0]
        raise _malformed(path, "JSON Lines", number, what) from None
    if not isinstance(row, dict):
        raise _malformed(path, "JSON Lines", number, f"{_what(row)}, not an object `{{…}}`")
    return row


def _what(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object" if isinstance(value, dict) else "a text")


def _parquet(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for batch in parquet_batches(path, names):
        images, captions, *others = batch.columns
        with _damages(path):
            if is_list(captions.type):
                parents = pc.list_parent_indices(captions)
                images, *others = (column.take(parents) for column in (images, *others))
                captions = pc.list_flatten(captions)
            columns = [
                _text(column, name, path)
                for column, name in zip((images, captions), names, strict=False)
            ]
            columns += [column.cast(pa.string()) for column in others]
        yield pa.RecordBatch.from_arrays(columns, schema=_schema(names))


def parquet_batches(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield some columns piece by piece; raises DataError."""
    with _damages(path), pa.parquet.ParquetFile(path) as file:
        _require(names, file.schema_arrow.names, path)
        for batch in file.iter_batches(columns=list(names)):
            yield batch.select(list(names))


def parquet_names(path: Path) -> tuple[str, ...]:
    """Return the names of the columns; raises DataError."""
    return tuple(parquet_schema(path).names)


def parquet_schema(path: Path) -> pa.Schema:
    """Return names and types of the columns; raises DataError."""
    with _damages(path):
        return pa.parquet.read_schema(path)


@contextmanager
def _damages(path: Path) -> Iterator[None]:
    """Say in a sentence what is wrong with a file."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeError) as problem:
        # Some of Arrow's errors are those of the operating system, some others OSErrors without
        # a number.
        if isinstance(problem, OSError) and problem.errno is not None:
            raise
        what = str(problem).splitlines()[0].rstrip(".")
        raise DataError(f"`{path}` cannot be read as Parquet: {what}") from None


def is_list(kind: pa.DataType) -> bool:
    """Tell whether a column holds lists."""
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _text(column: pa.Array, name: str, path: Path) -> pa.Array:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    if not (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    ):
        raise DataError(f"column `{name}` of `{path}` holds {column.type}, not text")
    text = column.cast(pa.string())
    text.validate(full=True)  # Arrow takes any bytes of a file for UTF-8
    return text


def _require(wanted: Sequence[str], there: Sequence[str], path: Path) -> None:
    _check_once(there, wanted, path)
    for name in wanted:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            names = listing(there)
            raise DataError(f"`{path}` has no column `{name}`; its columns are {names}{hint}")


def _check_once(there: Sequence[str], wanted: Sequence[str], path: Path) -> None:
    for name in wanted:
        if there.count(name) > 1:
            raise DataError(f"`{path}` has two columns `{name}`; give one of them another name")


def _malformed(path: Path, kind: str, number: int, what: str) -> DataError:
    """Return an error about a row; `number` lines stand before it."""
    return DataError(f"`{path}` cannot be read as {kind}: line {number + 1}: {what}")
