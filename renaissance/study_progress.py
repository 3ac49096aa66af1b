"""What a person sees while a study runs: bars on a terminal, and a line for each stage."""

import sys
from typing import TYPE_CHECKING, TextIO

from renaissance.compiler.amounts import predicted
from renaissance.progress import Bars
from renaissance.runtime.observer import Observer, Silent

if TYPE_CHECKING:
    from renaissance.runtime.studies.stages import Stage
    from renaissance.runtime.studies.working import Settled


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
        """Draw bars while a stage runs, on a terminal."""
        if not self._stream.isatty():
            return Silent()
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


def line_of(settled: "Settled") -> str:
    """Return a line about a stage."""
    stage = settled.stage
    others = len(stage.users) - 1
    shared = f" and {others} more" if others else ""
    said = f"[{settled.number}/{settled.total}] {stage.job} of {stage.users[0]}{shared}: "
    if settled.why:
        said += f"failed: {settled.why}"
    else:
        said += "done" if settled.seconds is None else predicted(settled.seconds)
    if settled.number == settled.total:
        return said
    left = "" if settled.left is None else f"; {predicted(settled.left)} left"
    return said + left
