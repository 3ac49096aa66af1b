"""A file of answers: a line for each row, such as `7,yes`."""

from collections.abc import Iterator

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.entries import Entry, lines_of
from renaissance_shapes.yes_no.schema import YesNo


def write(block: YesNo, answered: Answered) -> bytes:
    """Return the file, complete for every row of the split; without an image there is no answer."""
    said = dict(zip(answered.rows.tolist(), answered.said, strict=True))
    lines = [f"{row},{said.get(row, '')}\n" for row in answered.asked.tolist()]
    return "".join(lines).encode()


def parse(block: YesNo, content: bytes) -> Iterator[Entry]:
    """Yield what a file says; raises DataError for a line of another form."""
    for place, line in lines_of(content):
        row, comma, word = line.partition(",")
        if not comma or word not in ("yes", "no", ""):
            raise DataError(f"{place} is not a row and `yes` or `no`: {line[:60]}")
        yield Entry(place=place, id=row, prediction=word or None)
