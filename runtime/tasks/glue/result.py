"""The official file of predictions: a table of `index` and `prediction`, in the order of the split.

Source: gluebenchmark.com/faq. A zip of them is handed in, each named as `Layout.file` says, those
of MNLI `MNLI-m.tsv` and `MNLI-mm.tsv`.
"""

from collections.abc import Iterator

from renaissance.grammar.names import plural
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.entries import Entry, lines_of
from renaissance.runtime.tasks.glue.schema import Glue

HEADER = "index\tprediction"


def write(block: Glue, answered: Answered) -> bytes:
    """Return the file, complete for every row of the split.

    Raises:
        DataError: if a row has no answer.
    """
    if len(answered.missing):
        missing = plural(len(answered.missing), "row")
        raise DataError(f"of {missing} there is no prediction, and a file needs all")
    lines = [
        f"{index}\t{_written(block, answered, place)}"
        for place, index in enumerate(answered.column("id"))
    ]
    return "\n".join([HEADER, *lines, ""]).encode()


def parse(block: Glue, content: bytes) -> Iterator[Entry]:
    """Yield what a file says; raises DataError for a line of another form."""
    classes = block.layout.classes
    for number, (place, line) in enumerate(lines_of(content)):
        if number == 0 and line == HEADER:
            continue
        index, tab, said = line.partition("\t")
        said = said.strip()
        if not tab or not index.isdecimal():
            raise DataError(f"{place} is not a number and a prediction, with a tab: {line[:60]}")
        if block.layout.numbered and said.isdecimal() and int(said) < len(classes):
            said = classes[int(said)]
        if classes and said not in classes:
            raise DataError(f"{place} predicts `{said[:40]}`, no class of {block.subtask}")
        yield Entry(place=place, id=index, prediction=said)


def _written(block: Glue, answered: Answered, place: int) -> str:
    if not block.layout.classes:
        return f"{answered.predictions[place]:.3f}"
    name = answered.in_words(place)
    return str(block.layout.classes.index(name)) if block.layout.numbered else name
