"""How a run ended, in a file: a launcher hears only whether torchrun was content."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from renaissance.grammar.writing import write_whole
from renaissance.runtime.errors import InterruptionError, UsageError
from renaissance.runtime.observer import Observer
from renaissance.runtime.records import Event, Notice, Record

ENDING = "exit.json"

FINISHED, REFUSED, FAILED = 0, 2, 3
"""Exit codes; what a signal ended has 128 more than the signal's number."""

State = Literal["finished", "interrupted", "refused", "failed"]


class Ending(Record):
    """What `exit.json` holds.

    Attributes:
        state: `interrupted` runs go on when they are started again.
        code: the exit code of a process that ends so.
        job: the last one that was at work; None if none was.
        step: steps of it that were done.
        total_steps: its length; 0 where it has no steps.
        message: why it did not finish.
    """

    state: State
    code: int
    job: str | None = None
    step: int = 0
    total_steps: int = 0
    message: str = ""


def code_of(problem: BaseException) -> int:
    """Return the exit code of a process that an error ends."""
    if isinstance(problem, InterruptionError):
        return 128 + problem.signal
    if isinstance(problem, KeyboardInterrupt):
        return 128 + signal.SIGINT
    return REFUSED if isinstance(problem, UsageError) else FAILED


class Position(Observer):
    """Remembers where a run is, and hands on what it hears.

    Attributes:
        job: at work; None before the first.
        step: steps of it that are done.
        total_steps: its length.
    """

    def __init__(self, observer: Observer) -> None:
        """Listen for another observer."""
        self._observer = observer
        self.job: str | None = None
        self.step = self.total_steps = 0

    def begin(self, job: str, stage: str, total: int) -> None:
        """Hear that a job begins, or another stage of it."""
        if stage != "validate":
            self.job, self.step = job, 0
            self.total_steps = total if stage == "train" else 0
        self._observer.begin(job, stage, total)

    def advance(self, stage: str, done: int) -> None:
        """Hear of steps."""
        if stage == "train":
            self.step = done
        self._observer.advance(stage, done)

    def event(self, event: Event) -> None:
        """Hand it on."""
        self._observer.event(event)

    def notify(self, text: str) -> None:
        """Hand on a sentence that a person should read."""
        self.event(Notice(text=text))

    def finish(self, stage: str) -> None:
        """Hand it on."""
        self._observer.finish(stage)


@contextmanager
def recorded_ending(folder: Path, position: Position) -> Iterator[None]:
    """Write how what happens inside ended.

    Args:
        folder: of the run; nobody else works in it.
        position: where the run is.
    """
    with suppress(OSError):
        (folder / ENDING).unlink()
    try:
        yield
    except BaseException as problem:
        _write(folder, position, problem)
        raise
    _write(folder, position, None)


def _write(folder: Path, position: Position, problem: BaseException | None) -> None:
    if problem is None:
        state: State = "finished"
    elif isinstance(problem, InterruptionError | KeyboardInterrupt):
        state = "interrupted"
    else:
        state = "refused" if isinstance(problem, UsageError) else "failed"
    ending = Ending(
        state=state,
        code=FINISHED if problem is None else code_of(problem),
        job=position.job,
        step=position.step,
        total_steps=position.total_steps,
        message="" if problem is None else str(problem),
    )
    # On a full disk the message on the terminal has to do.
    with suppress(OSError):
        write_whole(folder / ENDING, ending.model_dump_json(indent=1))
