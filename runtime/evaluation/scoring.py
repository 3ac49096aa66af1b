"""Measuring a file of predictions, whoever made it, without a model."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from renaissance.grammar.kinds.data import Split, TaskBlock
from renaissance.grammar.kinds.head import UNKNOWN
from renaissance.grammar.kinds.registry import facet, optional_facet
from renaissance.grammar.names import FEW, listing
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.reading import read_task
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.targets import Numbers
from renaissance.runtime.evaluation.intervals import Interval
from renaissance.runtime.evaluation.measuring import measured, of_means
from renaissance.runtime.evaluation.outside import remarks
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.entries import Entry, json_lines
from renaissance.runtime.tasks.means import Measured

LARGEST = float(np.finfo(np.float32).max)
"""What is measured is kept in 32 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a file of predictions is worth.

    Attributes:
        task: its word.
        split: name of the split.
        rows: how many were measured.
        metrics: by name, shares between 0 and 1 where they are shares.
        intervals: by name, what holds a metric in 95 of 100 drawings of other images.
        remarks: sentences about predictions that count as wrong whatever is right.
        hints: what the file would have to say for further metrics, in sentences.
        protocol: when a prediction is right, in words; None where the task has one way.
    """

    task: str
    split: str
    rows: int
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]
    remarks: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    protocol: str | None = None


def score(task: TaskBlock, file: Path, split: str) -> Score:
    """Measure a file by the protocol of a task.

    Args:
        task: says where the data lie.
        file: the official one of the task, as its `result.py` reads it; where it has none, a line
            of JSON for each row, with `id` (the number of the row, counted from 0, where rows have
            none) and `prediction`.
        split: what the predictions are for.

    Raises:
        DataError: if the file or the data do not allow it.
    """
    declared = _declared(task, split)
    measure_file = getattr(optional_facet(task, "result"), "measure_file", None)
    if measure_file is not None:
        whole: Measured = measure_file(task, file, declared.file, split)
        return Score(
            task=task.word(),
            split=split,
            rows=len(whole.scenes),
            metrics=whole.metrics,
            intervals=of_means(whole.means, {}, whole.scenes)[0],
        )
    table = read_task(task, declared.file, shown=False)
    said = _by_row(task, _entries(task, file), table, file, split)
    answered = _answered(task, table, said, file).measured
    if len(answered.asked) == 0:
        raise DataError(f"of no row of `{split}` it is known what is right")
    figures = measured(task, answered, None)
    return Score(
        task=task.word(),
        split=split,
        rows=figures.rows,
        metrics=figures.metrics,
        intervals=figures.intervals,
        remarks=remarks(answered, said, split),
        hints=tuple(_hints(task, answered, figures.metrics)),
        protocol=getattr(answered.targets, "protocol", None),
    )


def _declared(task: TaskBlock, name: str) -> Split:
    # Names of splits have no hyphens in specs; published ones do, such as `test-dev`.
    found = task.split(name) or task.split(name.replace("-", "_"))
    if found is None:
        there = [other for other, split in task.splits().items() if split.labelled]
        said = [f"{task.word()} has no split `{name}`"]
        if there:
            said.append(f"it has {listing(there)}")
        if name in task.split_keys:
            said.append(f"`--set {name}=FILE` says where it lies")
        raise DataError("; ".join(said))
    if not found.labelled:
        known = listing(
            other
            for other, split in task.splits().items()
            if split.labelled and split.held_out is None
        )
        raise DataError(
            f"what is right in `{name}` of {task.word()} is not published, so that nobody can "
            f"measure it here; {known} can be measured"
        )
    if found.held_out is not None:
        raise DataError(
            f"`{name}` of {task.word()} is a share that each job draws for itself; set "
            "`validation` to a published split, or score another one"
        )
    return found


def _entries(task: TaskBlock, file: Path) -> list[Entry]:
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise DataError(f"`{file}` cannot be read: {problem.strerror}") from None
    parse = getattr(optional_facet(task, "result"), "parse", None)
    try:
        return list(json_lines(content) if parse is None else parse(task, content))
    except DataError as problem:
        raise DataError(f"`{file}`: {problem}; wanted: {task.result_file.described}") from None


def _by_row(
    task: TaskBlock, entries: Iterable[Entry], table: Table, file: Path, split: str
) -> dict[int, Entry]:
    """Return what is said of each row of the table; DataError unless it is said once of each."""
    ids = table.ids(np.arange(len(table)))
    first_one = f"the first row of `{split}` is `{ids[0]}`" if ids else f"`{split}` has no row"
    wanted = f"{first_one}; wanted: {task.result_file.described}"
    rows = {str(identifier): row for row, identifier in enumerate(ids)}
    found: dict[int, Entry] = {}
    for entry in entries:
        row = rows.get(str(entry.id))
        if row is None:
            raise DataError(
                f"`{file}`: {entry.place} is about `{entry.id}`, no row of `{split}`; {wanted}"
            )
        first = found.setdefault(row, entry)
        if first is not entry:
            raise DataError(
                f"`{file}`: {entry.place} is about `{entry.id}` again, after {first.place}"
            )
    missing = [str(ids[row]) for row in range(len(ids)) if row not in found]
    if missing:
        raise DataError(
            f"`{file}` says nothing about {len(missing):,} of the {len(ids):,} rows of `{split}`: "
            f"{listing(missing, most=FEW)}; {wanted}"
        )
    return found


def _answered(task: TaskBlock, table: Table, said: Mapping[int, Entry], file: Path) -> Answered:
    """Return the rows with what is said of them; those without a prediction are wrong."""
    reader = facet(task, "reader")
    words: tuple[str, ...] = ()
    more: np.ndarray | None = None
    boxes = any(isinstance(entry.prediction, tuple) for entry in said.values())
    if boxes:
        known = reader.boxes(task, table)
    else:
        words, own = _words(task, said.values(), file), _own_classes(task)
        if task.result_file.more == "probabilities":
            wanted, complete = (own, True) if own else reader.wanted(task, table)
            _check_classes(words, wanted, complete, said.values(), file)
        words = tuple(dict.fromkeys((*own, *words)))
        known = reader.targets(task, table, words)
    # Nobody can say how wrong no number is.
    whole = isinstance(known, Numbers)
    rows = sorted(row for row, entry in said.items() if whole or entry.prediction is not None)
    entries = [said[row] for row in rows]
    if whole:
        words, predictions = (), np.array([_number(entry, file) for entry in entries], np.float32)
    elif boxes:
        predictions = np.array([entry.prediction for entry in entries], np.float64)  # [n, 4]
    elif task.head().outputs == 1:
        words, predictions = (), np.array([_place(entry, file) for entry in entries], np.int64)
    else:
        number = {word: place for place, word in enumerate(words)}
        predictions = np.array([number[str(e.prediction)] for e in entries], np.int64)
        more = _more(task, entries, number)
    return Answered(
        table=table,
        asked=np.arange(len(table)),
        rows=np.array(rows, np.int64),
        predictions=predictions,
        probabilities=np.full(len(rows), np.nan, np.float32),
        answers=words,
        targets=known,
        more=more,
    )


class _Unread(Part):
    """What there is to learn from, where nobody has it: who looks at it is stopped."""

    class Wanted(Exception):  # noqa: N818
        """Somebody did."""

    def __init__(self) -> None:
        """There is nothing to hold."""

    def __getattribute__(self, name: str) -> Any:
        raise _Unread.Wanted


def _own_classes(task: TaskBlock) -> tuple[str, ...]:
    """Return the classes that a task has whatever its data are, as it numbers them; else none.

    Its `targets` may number them without asking for their names. Where classes are those of the
    data to learn from, which need not be there, it has to ask: each one's number is its place.
    """
    try:
        own: tuple[str, ...] = facet(task, "reader").answers(task, _Unread())
    except _Unread.Wanted:
        return ()
    return own


def _words(task: TaskBlock, said: Collection[Entry], file: Path) -> tuple[str, ...]:
    """Return the names of the classes that predictions speak of.

    Raises:
        DataError: if some of them say more and others do not.
    """
    given = [entry for entry in said if entry.prediction is not None]
    names = {str(entry.prediction): None for entry in given}
    key = task.result_file.more
    if key is None or all(getattr(entry, key) is None for entry in given):
        return tuple(sorted(names))
    for entry in given:
        if getattr(entry, key) is None:
            raise DataError(f"`{file}`: {entry.place} has no `{key}`, as other lines have")
    if key == "best":
        return tuple(sorted(names.keys() | {name for entry in given for name in entry.best or ()}))
    classes = dict.fromkeys(given[0].probabilities or ())
    for entry in given:
        if (entry.probabilities or {}).keys() != classes.keys():
            raise DataError(
                f"`{file}`: {entry.place} has `probabilities` of other classes than "
                f"{given[0].place}: every line has those of all classes"
            )
        if str(entry.prediction) not in classes:
            raise _unusable(entry, file, "which is none of the classes of its `probabilities`")
    return tuple(classes)


def _check_classes(
    words: tuple[str, ...], wanted: tuple[str, ...], whole: bool, said: Iterable[Entry], file: Path
) -> None:
    """Refuse probabilities of other classes than there are; DataError.

    Args:
        words: classes that predictions speak of.
        wanted: names of classes that there are.
        whole: whether there are no others.
        said: what is said of rows.
        file: that says it.
    """
    if all(entry.probabilities is None for entry in said):
        return
    lacking = [name for name in wanted if name not in words]
    others = [name for name in words if whole and name not in wanted]
    for names, what in ((lacking, "lack"), (others, "have one of no class:")):
        if names:
            raise DataError(f"`{file}`: its `probabilities` {what} {listing(names, most=FEW)}")


def _more(
    task: TaskBlock, entries: Sequence[Entry], number: Mapping[str, int]
) -> np.ndarray | None:
    """Return what is said besides predictions, as `predict` of the task says it of a model."""
    key = task.result_file.more
    if key is None or not entries or getattr(entries[0], key) is None:
        return None
    if key == "probabilities":
        rows = [[(entry.probabilities or {})[name] for name in number] for entry in entries]
        return np.array(rows, np.float32)  # [n, classes]
    places = [[number[name] for name in entry.best or ()] for entry in entries]
    most = max(map(len, places))
    return np.array([row + [UNKNOWN - 1] * (most - len(row)) for row in places], np.int64)


def _hints(task: TaskBlock, answered: Answered, metrics: Mapping[str, float]) -> Iterator[str]:
    """Yield which metrics there are not, and what the file would have to say for them."""
    missing = [name for name in getattr(task, "metrics", ()) if name not in metrics]
    if answered.more is None and task.result_file.more is not None and missing:
        yield (
            f"without `{task.result_file.more}` in its lines there is no {listing(missing)}: "
            f"{task.result_file.described}"
        )


def _number(entry: Entry, file: Path) -> float:
    said = entry.prediction
    try:
        number = math.nan if said is None or isinstance(said, tuple) else float(said)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _unusable(entry, file, "which is no number")
    if abs(number) > LARGEST:
        raise _unusable(entry, file, "which is larger than a number of 32 bits can be")
    return number


def _place(entry: Entry, file: Path) -> int:
    number = _number(entry, file)
    if not number.is_integer() or number < 0:
        raise _unusable(entry, file, "which is no place among candidates")
    return int(number)


def _unusable(entry: Entry, file: Path, why: str) -> DataError:
    return DataError(f"`{file}`: {entry.place} predicts `{entry.prediction}`, {why}")
