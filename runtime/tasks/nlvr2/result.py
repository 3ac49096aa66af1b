"""The official file of predictions: a line `identifier,True` or `identifier,False` for each row."""

from collections.abc import Iterator

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.entries import Entry, lines_of
from renaissance.runtime.tasks.nlvr2.schema import Nlvr2

WORDS = {"true": "True", "false": "False"}


def write(block: Nlvr2, answered: Answered) -> bytes:
    """Return the file, complete for every row of the split.

    A row whose images cannot be read gets the answer that is wrong, so that whoever measures the
    file counts it as wrong too; where nobody knows what is right, that is `False`.
    """
    said = dict(zip(answered.rows.tolist(), answered.said, strict=True))
    ids = answered.table.column("id").to_pylist()
    labels = answered.table.answers()
    wrong = {"False": "True", "True": "False"}
    lines = [
        f"{ids[row]},{said.get(row) or wrong.get(labels[row], 'False')}\n"
        for row in answered.asked.tolist()
    ]
    return "".join(lines).encode()


def parse(block: Nlvr2, content: bytes) -> Iterator[Entry]:
    """Yield what a file says; raises DataError for a line of another form."""
    for place, line in lines_of(content):
        identifier, comma, word = line.partition(",")
        prediction = WORDS.get(word.strip().lower())
        if not comma or prediction is None:
            raise DataError(f"{place} is not `identifier,True` or `identifier,False`: {line[:60]}")
        yield Entry(place=place, id=identifier.strip(), prediction=prediction)
