"""A long list in a file of JSON, one entry after the other: the file may not fit into memory."""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from renaissance.runtime.data.errors import DataError

CHUNK = 2**20
"""Bytes that are read in one go."""
SPACE = " \t\r\n"


def json_array(path: Path) -> Iterator[Any]:
    """Yield the entries of a file that holds one list.

    Raises:
        DataError: if it holds anything else, or ends early.
    """
    early = DataError(f"`{path}` ends before its list does")
    with path.open("rb") as file:
        text = _Text(file)
        try:
            if (mark := text.mark()) is None:
                raise early
            if mark != "[":
                raise DataError(f"`{path}` holds no list `[…]`")
            text.place += 1
            while (mark := text.mark()) != "]":
                if mark is None:
                    raise early
                if mark == ",":
                    text.place += 1
                else:
                    yield text.value()
        except (ValueError, RecursionError) as problem:
            raise DataError(f"`{path}` is no JSON: {problem}") from None


class _Text:
    """What was read of a file and not yet decoded, from `place` on."""

    def __init__(self, file: BinaryIO) -> None:
        self.place = 0
        self._file, self._read = file, ""
        self._bytes = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()

    def mark(self) -> str | None:
        """Go to the next character that is not white, and return it; None at the end."""
        while True:
            while self.place < len(self._read) and self._read[self.place] in SPACE:
                self.place += 1
            if self.place < len(self._read):
                return self._read[self.place]
            if not self._more():
                return None

    def value(self) -> Any:
        """Return the value that begins here, and go behind it; ValueError if there is none."""
        while True:
            try:
                value, end = self._json.raw_decode(self._read, self.place)
            except ValueError:
                if self._more():
                    continue
                raise
            if end == len(self._read) and self._more():
                continue  # a number may go on
            self.place = end
            return value

    def _more(self) -> bool:
        """Read as much again as there is; return whether there was anything."""
        rest = self._read[self.place :]
        chunk = self._file.read(max(CHUNK, len(rest)))
        self._read, self.place = rest + self._bytes.decode(chunk, not chunk), 0
        return bool(chunk)
