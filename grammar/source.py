"""A `.vl` text and places in it."""

import sys
from bisect import bisect_right
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from renaissance.grammar.record import Record

_LARGEST = 4_000_000


class SourceError(Exception):
    """A text that cannot be read at all; the message is one sentence for the user."""


class Source(Record):
    """A named text with `\\n` line ends and no byte-order mark.

    Attributes:
        name: what a diagnostic prints: a path relative to the working folder, or `<stdin>`.
        text: the whole text.
    """

    name: str
    text: str

    @property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of the first character of each line."""
        return _line_starts(self.text)

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of a character offset, both counted from 1, in characters."""
        starts = self.line_starts
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of a line, counted from 1, without its line end."""
        starts = self.line_starts
        start = starts[number - 1]
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[start:end]


class Span(NamedTuple):
    """A part of a source: character offsets from 0, end exclusive.

    A file has more of them than of anything else, and nothing is made faster than a tuple.
    """

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters that the span covers."""
        return self.source.text[self.start : self.end]

    def to(self, other: "Span") -> "Span":
        """Return the span from the start of this one to the end of `other`."""
        return Span(source=self.source, start=self.start, end=other.end)


@lru_cache(maxsize=4)
def _line_starts(text: str) -> tuple[int, ...]:
    """Index the lines of a text when a place in it is asked for, once for many places."""
    return (0, *(i + 1 for i, character in enumerate(text) if character == "\n"))


def read_source(path: str) -> Source:
    """Read a spec from a file, or from standard input where the path is `-`.

    Args:
        path: file name, absolute or relative to the working folder.

    Returns:
        The text with `\\n` line ends and without a byte-order mark.

    Raises:
        SourceError: if there is no such file, it cannot be read, it is no UTF-8 text, or it has
            more than 4 MB.
    """
    if path == "-":
        name, content = "<stdin>", sys.stdin.buffer.read(_LARGEST + 1)
    else:
        name, content = shown(path), _content(path)
    return source_of(name, content)


def source_of(name: str, content: bytes) -> Source:
    """Return the text that the bytes of a file are.

    Args:
        name: of the file, for messages and findings.
        content: all of it, or the first part where it is longer than a spec may be.

    Raises:
        SourceError: if it is no UTF-8 text or has more than 4 MB.
    """
    if len(content) > _LARGEST:
        raise SourceError(f"{name} is larger than 4 MB, which no spec is")
    if b"\0" in content:
        raise SourceError(f"{name} is not a text file: it contains a zero byte")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", errors="replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise SourceError(
            f"{name} is not UTF-8 text: byte 0x{content[error.start]:02x} in line {line}, "
            f"column {column}; save it as UTF-8"
        ) from None
    return Source(name=name, text=text.replace("\r\n", "\n").replace("\r", "\n"))


def _mistaken_files() -> ModuleType:
    from renaissance.grammar import mistaken_files  # only mistakes pay for it

    return mistaken_files


def _content(path: str) -> bytes:
    if not path:
        raise SourceError("a file name is empty")
    try:
        with Path(path).open("rb") as file:
            if not path.endswith(".vl") and (said := _mistaken_files().no_spec(path)):
                raise SourceError(f"{shown(path)} {said}")
            return file.read(_LARGEST + 1)
    except IsADirectoryError:
        hint = _mistaken_files().of_folder(path)
        raise SourceError(f"{shown(path)} is a folder, not a file{hint and f': {hint}'}") from None
    except (FileNotFoundError, NotADirectoryError, ValueError):
        files = _mistaken_files()
        raise SourceError(
            f"there is no file {shown(path)}{files.hint(files.meant_by(path))}"
        ) from None
    except OSError as error:
        raise SourceError(f"{shown(path)} cannot be read: {error.strerror}") from None


def shown(path: str) -> str:
    """Return a path as messages show it: relative to the working folder where it is inside."""
    try:
        return Path(path).absolute().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return Path(path).as_posix()
