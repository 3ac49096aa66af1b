"""What narrow terminals do not cut: columns without room stand below, lines go on further in."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

_ANY = 10_000
"""Columns of a terminal in which every table has room."""


_FURTHER = 4
"""Columns that the rest of a long line is further in."""


class Hung:
    """A line whose rest is further in, where a terminal has no room for all of it.

    Args:
        line: without markup.
        indent: columns before it.
        style: of it.
    """

    def __init__(self, line: str, *, indent: int = 0, style: str = "") -> None:
        self._text, self._indent = Text(line, style=style), indent

    def __str__(self) -> str:
        """Return all of it as one line."""
        return " " * self._indent + self._text.plain

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield as many lines as it takes."""
        if self._indent + self._text.cell_len <= options.max_width:
            yield Text(" " * self._indent) + self._text
            return
        deep = self._indent + _FURTHER
        for number, line in enumerate(self._text.wrap(console, max(options.max_width - deep, 8))):
            line.rstrip()
            yield Text(" " * (deep if number else self._indent)) + line


class Folded:
    """A table whose columns stand in as many tables, one below the other, as they need.

    Each of them begins with the first column.

    Args:
        table: of strings or texts.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table | str]:
        """Yield as many tables as it takes."""
        unlimited = options.update(width=_ANY)

        def fits(columns: list[int]) -> bool:
            return console.measure(self._part(columns), options=unlimited).maximum <= room

        room, columns = options.max_width, [0]
        for number in range(1, len(self._table.columns)):
            if len(columns) > 1 and not fits([*columns, number]):
                yield self._part(columns)
                yield ""
                columns = [0]
            columns.append(number)
        yield self._part(columns)

    def _part(self, columns: list[int]) -> Table:
        part = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        chosen = [self._table.columns[number] for number in columns]
        for column in chosen:
            # A word that has no room by itself is broken, not cut off.
            part.add_column(column.header, justify=column.justify, overflow="fold")
        for row in zip(*(column.cells for column in chosen), strict=True):
            part.add_row(*row)
        return part
