"""What a person sees while a study runs: bars on a terminal, and a line for each stage."""

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from renaissance.compiler.amounts import amount, in_bytes, predicted
from renaissance.grammar.names import plural
from renaissance.progress import Bars, time_left
from renaissance.runtime.observer import Observer, Silent
from renaissance.runtime.records import Event, Start, Step

if TYPE_CHECKING:
    from renaissance.grammar.study import Study
    from renaissance.runtime.studies.operations import Planned
    from renaissance.runtime.studies.outlook import Expected, Outlook
    from renaissance.runtime.studies.stages import Stage
    from renaissance.runtime.studies.working import Settled


SELDOM = 300.0
"""Seconds between plain lines about the steps of a stage."""


def say(lines: Iterable[str]) -> None:
    """Write lines on standard error."""
    sys.stderr.writelines(f"{line}\n" for line in lines)
    sys.stderr.flush()


def at_start(study: "Study", folder: Path, before: "Outlook", cells: int) -> Iterator[str]:
    """Yield where a study is kept, how much there is of it, and how much of that is done.

    Args:
        study: that goes on.
        folder: of it.
        before: what is done.
        cells: that are to be run.
    """
    stages, done = len(before.stages), len(before.done)
    of = f"{cells} of " if cells < len(study.cells) else ""
    size = f"{of}{plural(len(study.cells), 'cell')}, {plural(stages, 'stage')}"
    yield f"study {study.name} in {folder}: {size}"
    if not before.to_run:
        yield "nothing is left to run"
        return
    if not (done or before.begun or before.failed):
        return
    are = "is" if done == 1 else "are"
    said = f"goes on: {done} of {plural(stages, 'stage')} {are} done, {len(before.to_run)} to run"
    if before.begun:
        said += f", {len(before.begun)} of them begun"
    if before.failed:
        said += f", {len(before.failed)} of them failed before"
    yield said


def of_rest(rest: "Expected", planned: "Planned") -> Iterator[str]:
    """Yield what is left is expected to take."""
    found = []
    if rest.operations is not None:
        found.append(amount(rest.operations, "FLOP", space=" "))
    if rest.memory is not None:
        found.append(f"{in_bytes(rest.memory)} of tensors in the largest step")
    if rest.planned_seconds is not None:
        found.append(f"{predicted(rest.planned_seconds)} on {planned.machine_name}")
    if found:
        yield f"planned for what is left: {', '.join(found)}"
    if rest.left is not None:
        yield f"{predicted(rest.left)} left, as equal jobs took"


class StudyProgress:
    """Writes a line for each stage that is settled.

    Args:
        stream: to write to; standard error if None.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write nothing yet."""
        self._stream = sys.stderr if stream is None else stream
        self._bars: Bars | None = None

    def __enter__(self) -> "StudyProgress":
        """Do nothing."""
        return self

    def __exit__(self, *problem: object) -> None:
        """Leave the bars as they are."""
        self._end_bars()

    def watching(self, stage: "Stage") -> Observer:
        """Draw bars while a stage runs, on a terminal; elsewhere write a line now and then."""
        if not self._stream.isatty():
            return Seldom(self._stream, name_of(stage))
        self._end_bars()
        self._bars = Bars(self._stream)
        return self._bars.__enter__()

    def stage(self, settled: "Settled") -> None:
        """Say what became of a stage and how long the others are expected to take."""
        self._end_bars()
        self._stream.write(f"{line_of(settled)}\n")
        self._stream.flush()

    def _end_bars(self) -> None:
        if self._bars is not None:
            self._bars.__exit__()
            self._bars = None


class Seldom(Silent):
    """A line about the steps of a long stage now and then.

    Args:
        stream: to write to.
        name: of the stage.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        """Write nothing yet."""
        self._stream, self._name = stream, name
        self._total = 0
        self._shown = time.monotonic()
        self._began: tuple[float, int] | None = None

    def event(self, event: Event) -> None:
        """Say how far a training is and how long the rest of it takes."""
        if isinstance(event, Start):
            self._total = event.total_steps or 0
            self._began = (time.monotonic(), event.step)
        if isinstance(event, Step) and time.monotonic() - self._shown >= SELDOM:
            self._shown = time.monotonic()
            left = time_left(self._began, event.step, self._total)
            said = f"step {event.step:,} of {self._total:,}, loss {event.loss:.3f}{left}"
            self._stream.write(f"{self._name}: {said}\n")
            self._stream.flush()


def name_of(stage: "Stage") -> str:
    """Return what a stage is called: its job, and of which cells it is."""
    others = len(stage.users) - 1
    return f"{stage.job} of {stage.users[0]}{f' and {others} more' if others else ''}"


def line_of(settled: "Settled") -> str:
    """Return a line about a stage."""
    said = f"[{settled.number}/{settled.total}] {name_of(settled.stage)}: "
    if settled.why:
        said += f"failed: {settled.why}"
    else:
        said += "done" if settled.seconds is None else predicted(settled.seconds)
    if settled.number == settled.total:
        return said
    left = "" if settled.left is None else f"; {predicted(settled.left)} left"
    return said + left
