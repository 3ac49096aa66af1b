"""GLUE in its published files: tables with tabs in which a quote is nothing but a quote."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import SECOND, Source, Table, make_table
from renaissance.runtime.data.targets import Classes, Numbers
from renaissance.runtime.tasks.glue.schema import Glue

PARAPHRASES = {
    "train": "msr_paraphrase_train.txt",
    "dev": "msr_paraphrase_train.txt",
    "test": "msr_paraphrase_test.txt",
}
"""What MRPC is published as; which rows are `dev` says another file."""
DEV_IDS = "mrpc_dev_ids.tsv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a table.

    Attributes:
        place: number of the line, for messages.
        index: number of the row, counted from 0, broken ones included.
        values: by column; None where the line is too short.
    """

    place: int
    index: int
    values: tuple[str | None, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return None not in self.values


def read(block: Glue, source: Source, file: str) -> Table:
    """Read one split.

    Lines that are too short, as a few of QQP are, are left out and counted; not of a split that is
    predicted, whose file of predictions has to be complete.

    Raises:
        DataError: if a file or a column is missing, or a label is none of the task's.
    """
    layout, hidden = block.layout, file in block.layout.tests
    wanted = layout.texts if hidden else (*layout.texts, layout.label)
    path, rows = _rows(block, file, wanted)
    broken = [row for row in rows if not row.whole]
    if hidden and broken:
        raise DataError(f"line {broken[0].place} of `{path}` is too short")
    kept = [row for row in rows if row.whole]
    columns = {"id": pa.array([str(row.index) for row in kept], pa.string())}
    if len(layout.texts) == 2:
        columns[SECOND] = pa.array([str(row.values[1]).strip() for row in kept], pa.string())
    answers = None
    if not hidden and layout.classes:
        answers = pa.array([_name(block, row, path) for row in kept], pa.string())
    elif not hidden:
        columns["score"] = pa.array([_score(row, path) for row in kept], pa.float32())
    return make_table(
        source,
        path.parent,
        pa.array([str(row.values[0]).strip() for row in kept], pa.string()),
        pa.nulls(len(kept), pa.string()),
        answers=answers,
        columns=columns,
        incomplete=len(broken),
    )


def answers(block: Glue, train: Part) -> tuple[str, ...]:
    """Return the classes of the task; none where a number is wanted."""
    return block.layout.classes


def targets(block: Glue, table: Table, answers: tuple[str, ...]) -> Classes | Numbers:
    """Return the class, or the number, of each row."""
    if block.layout.classes:
        return Classes.named(table.answers(), answers)
    return Numbers(values=table.column("score").to_numpy().astype(np.float32))


def _rows(block: Glue, file: str, wanted: Sequence[str]) -> tuple[Path, list[Row]]:
    """Return the columns of a split, and the file that they are from."""
    path, layout = block.path(file), block.layout
    published = path.parent / PARAPHRASES.get(file, "")
    if block.subtask == "mrpc" and not path.is_file() and published.is_file():
        return published, _paraphrases(published, file, wanted)
    if not path.is_file():
        raise DataError(
            f"`{path.resolve()}` does not exist; `root` holds a folder for each task of GLUE, as "
            "dl.fbaipublicfiles.com/glue/data has them"
        )
    header, called = layout.header if file in layout.train else None, layout.called.get(file, {})
    return path, list(_table(path, [called.get(name, name) for name in wanted], header))


def _paraphrases(path: Path, file: str, wanted: Sequence[str]) -> list[Row]:
    """Return rows of MRPC as Microsoft hands it out: `dev` is a part of what there is to learn."""
    ids = ("#1 ID", "#2 ID")
    rows = list(_table(path, [*wanted, *ids], None))
    if file != "test":
        chosen = path.parent / DEV_IDS
        if not chosen.is_file():
            raise DataError(f"`{chosen}` does not exist; it says which rows of MRPC are `dev`")
        pairs = {tuple(line.split("\t")[:2]) for line in _lines(chosen)}
        rows = [row for row in rows if (row.values[-2:] in pairs) == (file == "dev")]
    return [
        Row(place=row.place, index=index, values=row.values[: len(wanted)])
        for index, row in enumerate(rows)
    ]


def _table(path: Path, wanted: Sequence[str], header: Sequence[str] | None) -> Iterator[Row]:
    """Yield some columns of each line; the first one names them where nobody else does."""
    lines = _lines(path)
    first = 1
    if header is None:
        header, first = lines[0].split("\t") if lines else (), 2
        lines = lines[1:]
    missing = next((name for name in wanted if name not in header), None)
    if missing is not None:
        raise DataError(f"`{path}` has no column `{missing}`; its columns are {', '.join(header)}")
    places = [header.index(name) for name in wanted]
    for index, line in enumerate(lines):
        cells = line.split("\t")
        values = tuple(cells[place] if place < len(cells) else None for place in places)
        yield Row(place=index + first, index=index, values=values)


def _lines(path: Path) -> list[str]:
    """Return the lines of a file: nothing but line feeds, and those of Windows, ends one."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise DataError(f"`{path}` is no UTF-8 text: {problem.reason}") from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _name(block: Glue, row: Row, path: Path) -> str:
    """Return the name of the class of a row."""
    classes, said = block.layout.classes, str(row.values[-1]).strip()
    if not block.layout.numbered and said in classes:
        return said
    if block.layout.numbered and said in map(str, range(len(classes))):
        return classes[int(said)]
    known = ", ".join(map(str, range(len(classes))) if block.layout.numbered else classes)
    raise DataError(f"line {row.place} of `{path}` has the label `{said}`, none of {known}")


def _score(row: Row, path: Path) -> float:
    """Return the number of a row."""
    try:
        found = float(str(row.values[-1]))
    except ValueError:
        found = np.nan
    if not 0 <= found <= 5:
        raise DataError(
            f"line {row.place} of `{path}` has the score `{row.values[-1]}`, none of 0 to 5"
        )
    return found
