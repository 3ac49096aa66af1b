"""A `.vl` text and places in it."""

import sys
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

_LARGEST = 4_000_000


class SourceError(Exception):
    """A text that cannot be read at all; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A named text with `\\n` line ends and no byte-order mark.

    Attributes:
        name: what a diagnostic prints: a path relative to the working folder, or `<stdin>`.
        text: the whole text.
    """

    name: str
    text: str
    line_starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the lines once; diagnostics ask for places many times."""
        starts = [0]
        starts.extend(i + 1 for i, character in enumerate(self.text) if character == "\n")
        object.__setattr__(self, "line_starts", tuple(starts))

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column of a character offset, both counted from 1, in characters."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of a line, counted from 1, without its line end."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] - 1 if number < len(self.line_starts) else len(self.text)
        return self.text[start:end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of a source: character offsets from 0, end exclusive."""

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
        name, content = _shown(path), _content(path)
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


def _content(path: str) -> bytes:
    if not path:
        raise SourceError("a file name is empty")
    try:
        with Path(path).open("rb") as file:
            return file.read(_LARGEST + 1)
    except IsADirectoryError:
        raise SourceError(f"{_shown(path)} is a folder, not a file") from None
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise SourceError(f"there is no file {_shown(path)}") from None
    except OSError as error:
        raise SourceError(f"{_shown(path)} cannot be read: {error.strerror}") from None


def _shown(path: str) -> str:
    """Return a path as messages show it: relative to the working folder where it is inside."""
    try:
        return Path(path).absolute().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return Path(path).as_posix()
