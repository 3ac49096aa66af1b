"""Who watches a run: the runtime prints nothing, it tells an observer."""

from collections.abc import Callable
from typing import Protocol

from renaissance.runtime.records import Event

Tell = Callable[[str], None]
"""Is told, in a sentence, what a person should know."""


class Observer(Protocol):
    """Is told what happens while it happens; only the first process tells anything."""

    def begin(self, job: str, stage: str, total: int) -> None:
        """Hear that work of a known length begins.

        Args:
            job: name of the job.
            stage: `train`, `validate` or `evaluate`.
            total: steps of a training, texts of the others.
        """

    def advance(self, stage: str, done: int) -> None:
        """Hear how much of a stage is done."""

    def event(self, event: Event) -> None:
        """Hear what is being written to the job's log."""

    def finish(self, stage: str) -> None:
        """Hear that a stage is over."""


class Silent:
    """An observer that does nothing."""

    def begin(self, job: str, stage: str, total: int) -> None:
        """Do nothing."""

    def advance(self, stage: str, done: int) -> None:
        """Do nothing."""

    def event(self, event: Event) -> None:
        """Do nothing."""

    def finish(self, stage: str) -> None:
        """Do nothing."""
