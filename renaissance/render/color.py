"""Colour for a terminal, or none."""

import os
import sys
from typing import Literal, TextIO

from renaissance.grammar.record import Record

When = Literal["auto", "always", "never"]

_CODES = {
    "bold": "1",
    "red": "1;31",
    "green": "1;32",
    "yellow": "1;33",
    "blue": "1;34",
    "cyan": "1;36",
}


class Palette(Record):
    """Paints pieces of text; without colour it leaves them as they are."""

    colored: bool

    def paint(self, text: str, color: str) -> str:
        """Return `text` in one of the colours bold, red, green, yellow, blue, cyan."""
        return f"\x1b[{_CODES[color]}m{text}\x1b[0m" if self.colored and text else text


def palette(when: When, stream: TextIO | None = None) -> Palette:
    """Choose colours for a stream, standard error unless told.

    `auto` means colour on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    """
    stream = sys.stderr if stream is None else stream
    if when != "auto":
        return Palette(colored=when == "always")
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Palette(colored=not plain and stream.isatty())
