"""Places in a text as the protocol counts them: lines from 0, columns in units of an encoding."""

from lsprotocol import types

from renaissance.grammar.source import Source, Span

_BYTES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


class Columns:
    """Converts places, in the encoding that client and server have agreed on."""

    def __init__(self, encoding: str = "utf-16") -> None:
        """Count in units of an encoding: `utf-8`, `utf-16` or `utf-32`."""
        self._encoding = encoding if encoding == "utf-8" else f"{encoding}-le"
        self._bytes = _BYTES[encoding]

    def range(self, span: Span) -> types.Range:
        """Return where a span starts and ends."""
        return types.Range(
            start=self.position(span.source, span.start), end=self.position(span.source, span.end)
        )

    def position(self, source: Source, offset: int) -> types.Position:
        """Return line and column of a character offset."""
        line, column = source.position(offset)
        return types.Position(line - 1, self._units(source.line(line)[: column - 1]))

    def offset(self, source: Source, position: types.Position) -> int:
        """Return the character offset of a place; the nearest one where there is none."""
        starts = source.line_starts
        if position.line >= len(starts):
            return len(source.text)
        left, start = position.character, starts[position.line]
        for index, character in enumerate(source.line(position.line + 1)):
            if left <= 0:
                return start + index
            left -= self._units(character)
        return start + len(source.line(position.line + 1))

    def whole(self, source: Source) -> types.Range:
        """Return the range of a whole text."""
        return self.range(Span(source=source, start=0, end=len(source.text)))

    def _units(self, text: str) -> int:
        return len(text.encode(self._encoding, "surrogatepass")) // self._bytes


def line_before(text: str, offset: int) -> str:
    """Return what stands between the beginning of a line and a place in it."""
    return text[text.rfind("\n", 0, offset) + 1 : offset]
