"""A long list in a file of JSON, one entry after the other: the file may not fit into memory."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from renaissance.runtime.data.errors import DataError

CHUNK = 2**20
"""Bytes that are read in one go."""
SPACE = " \t\r\n"


def json_array(path: Path) -> Iterator[Any]:
    """Yield the entries of a file that holds one list.

    Raises:
        DataError: if it holds anything else, or ends early.
    """
    decoder = json.JSONDecoder()
    with path.open("rb") as file:
        text = codecs.getincrementaldecoder("utf-8-sig")()
        buffer, place, ended, begun = "", 0, False, False

        def more() -> bool:
            nonlocal buffer, place, ended
            chunk = file.read(max(CHUNK, len(buffer) - place))
            ended = not chunk
            buffer, place = buffer[place:] + text.decode(chunk, ended), 0
            return not ended

        try:
            while True:
                while place < len(buffer) and buffer[place] in SPACE:
                    place += 1
                if place == len(buffer):
                    if more():
                        continue
                    raise DataError(f"`{path}` ends before its list does")
                mark = buffer[place]
                if not begun:
                    if mark != "[":
                        raise DataError(f"`{path}` holds no list `[…]`")
                    begun, place = True, place + 1
                elif mark == "]":
                    return
                elif mark == ",":
                    place += 1
                else:
                    try:
                        value, end = decoder.raw_decode(buffer, place)
                    except ValueError:
                        if more():
                            continue
                        raise
                    if end == len(buffer) and more():
                        continue  # a number may go on
                    place = end
                    yield value
        except (ValueError, RecursionError) as problem:
            raise DataError(f"`{path}` is no JSON: {problem}") from None
