"""Files with an object of JSON on every line, as both the task and the format read them."""

import json
from pathlib import Path

import pyarrow as pa

from renaissance.runtime.data.errors import DataError


def columns(path: Path, *names: str) -> list[pa.Array]:
    """Return the strings of each name, line by line.

    Raises:
        DataError: if the file is missing or a line of it is not what it should be; in one sentence
            that names both.
    """
    if not path.is_file():
        raise DataError(f"`{path}` does not exist")
    found: list[list[str]] = [[] for _ in names]
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            entry = json.loads(line)
            values = [entry[name] for name in names]
            pa.array(values, pa.string())  # texts, and nothing else
        except (ValueError, TypeError, KeyError) as problem:
            wanted = ", ".join(names)
            raise DataError(f"line {number} of `{path}` has no texts {wanted}: {problem}") from None
        for column, value in zip(found, values, strict=True):
            column.append(value)
    return [pa.array(column, pa.string()) for column in found]
