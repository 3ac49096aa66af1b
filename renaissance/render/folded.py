"""Tables that narrow terminals do not cut: columns without room stand below."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions
from rich.table import Table

_ANY = 10_000
"""Columns of a terminal in which every table has room."""


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
