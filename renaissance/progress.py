"""What a person sees while jobs run: bars on a terminal, plain lines elsewhere."""

import sys
import time
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from renaissance.compiler.amounts import per_second, predicted
from renaissance.grammar.kinds.quantity import quantity
from renaissance.grammar.names import plural
from renaissance.runtime.observer import Observer
from renaissance.runtime.records import Event, Notice, Start, Step, Thaw, Unreadable, Validate

QUIET = 30.0
"""Seconds between plain lines about steps."""

REST = len("/ 12:34:56 |") + 4
"""Columns of a bar beside its name and the two numbers: the time left, a short bar, gaps."""

LEAST = 8
"""Columns that a name always has."""


def progress(stream: TextIO | None = None) -> "Bars | Lines":
    """Return what suits a stream, standard error unless told."""
    stream = sys.stderr if stream is None else stream
    return Bars(stream) if stream.isatty() else Lines(stream)


class Lines(Observer):
    """A line now and then.

    Args:
        stream: to write to.
    """

    def __init__(self, stream: TextIO) -> None:
        """Write nothing yet."""
        self._stream = stream
        self._job = ""
        self._total = 0
        self._shown = 0.0
        self._began: tuple[float, int] | None = None

    def __enter__(self) -> "Lines":
        """Do nothing."""
        return self

    def __exit__(self, *problem: object) -> None:
        """Do nothing."""

    def begin(self, job: str, stage: str, total: int) -> None:
        """Say that a job begins."""
        if stage == "train":
            self._total = total
        if stage == "evaluate":
            self._say(f"{job}: measuring {plural(total, 'text')}")

    def advance(self, stage: str, done: int) -> None:
        """Say nothing: events say more."""

    def finish(self, stage: str) -> None:
        """Say nothing."""

    def event(self, event: Event) -> None:
        """Say what matters, steps not too often."""
        if isinstance(event, Start):
            self._job = event.job
            self._began = (time.monotonic(), event.step)
        if isinstance(event, Step):
            if time.monotonic() - self._shown < QUIET and event.step != self._total:
                return
            self._shown = time.monotonic()
            said = f"step {event.step:,} of {self._total:,}, {of_step(event)}"
            self._say(f"{self._job}: {said}{time_left(self._began, event.step, self._total)}")
            return
        for line in told(event):
            self._say(f"{self._job}: {line}" if self._job else line)

    def _say(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()


def time_left(began: tuple[float, int] | None, step: int, total: int) -> str:
    """Say how long the steps that are left take, if they go on as so far; empty at the end.

    Args:
        began: when this process began, by `time.monotonic`, and how many steps were done then.
        step: steps that are done.
        total: of all steps.
    """
    if began is None or not began[1] < step < total:
        return ""
    then, first = began
    return f"; {predicted((time.monotonic() - then) / (step - first) * (total - step))} left"


class _Figures(ProgressColumn):
    """The figures of a task in one line, cut off where the terminal ends."""

    def render(self, task: Task) -> Text:
        """Return them."""
        return Text(task.fields["figures"], no_wrap=True, overflow="ellipsis")


class Bars(Observer):
    """A bar for each stage that is under way."""

    def __init__(self, stream: TextIO) -> None:
        """Draw on a terminal."""
        # Where there is little room, the bar and the figures give way.
        self._progress = Progress(
            TextColumn("[bold]{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=24),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
            _Figures(),
            console=Console(file=stream),
        )
        self._tasks: dict[str, TaskID] = {}
        self._job = ""

    def __enter__(self) -> "Bars":
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(self, *problem: object) -> None:
        """Leave the bars as they are."""
        self._progress.stop()

    def begin(self, job: str, stage: str, total: int) -> None:
        """Add a bar."""
        name = {"train": job, "validate": "  validation", "evaluate": job}[stage]
        # Count and time left are read before the end of a long name is.
        room = self._progress.console.width - 2 * len(str(total)) - REST
        if len(name) > max(room, LEAST):
            name = f"{name[: max(room, LEAST) - 1]}…"
        self._tasks[stage] = self._progress.add_task(name, total=total, figures="")

    def advance(self, stage: str, done: int) -> None:
        """Fill a bar."""
        self._progress.update(self._tasks[stage], completed=done)

    def finish(self, stage: str) -> None:
        """Fill a bar to its end, or take it away if it belongs to another."""
        task = self._tasks.pop(stage)
        if stage == "validate":
            self._progress.remove_task(task)

    def event(self, event: Event) -> None:
        """Show figures beside the bar, and what matters above it."""
        if isinstance(event, Start):
            self._job = event.job
        elif isinstance(event, Step):
            self._progress.update(self._tasks["train"], figures=of_step(event))
        else:
            for line in told(event):
                told_of = f"{self._job}: {line}" if self._job else line
                self._progress.console.print(told_of, markup=False, highlight=False)


def of_step(event: Step) -> str:
    """Return the figures of a step in one line."""
    figures = [f"loss {event.loss:.3f}"]
    if len(event.losses) > 1:
        figures += [f"{name} {loss:.3f}" for name, loss in event.losses.items()]
    figures += [_measured(name, value) for name, value in event.metrics.items()]
    if event.texts_per_second is not None:
        figures.append(f"{per_second(event.texts_per_second)} texts/s")
    return ", ".join(figures)


def _measured(name: str, value: float) -> str:
    """Spell a metric: a share in percent, anything else as the number that it is."""
    share = quantity(name, {}).share  # what is told of a step are shares whose names say so
    return f"{spell(name)} {value:.1%}" if share else f"{spell(name)} {value:.4g}"


def told(event: Event) -> list[str]:
    """Return what a person should read about an event, a sentence a line."""
    if isinstance(event, Validate):
        figures = [f"{name} loss {loss:.3f}" for name, loss in event.losses.items()]
        figures += [_measured(name, value) for name, value in event.metrics.items()]
        return [f"after step {event.step} on held-out data: {', '.join(figures)}"]
    if isinstance(event, Thaw):
        return [f"from step {event.step} on {', '.join(event.addresses)} learn"]
    if isinstance(event, Unreadable):
        return [
            f"{plural(event.count, 'image')} could not be read so far, such as {event.paths[0]}"
        ]
    return [event.text] if isinstance(event, Notice) else []


def spell(name: str) -> str:
    """Return the name of a metric for people."""
    return name.replace("_", " ")
