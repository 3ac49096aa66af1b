"""How far a training is."""

import time
from dataclasses import dataclass
from typing import Self

from renaissance.runtime.checkpoint import Best, State


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a training is; moments are of `time.monotonic`.

    Attributes:
        step: steps that are done, those before a resume included.
        texts: texts that were learned from, likewise.
        validated: step of the last validation; -1 before the first.
        best: the best validation.
        saved: state of the last checkpoint; None before the first.
        began: moment at which the job began, had it never stopped.
        saved_at: moment of the last checkpoint, or of the beginning.
        reported_at: moment from which the next line of the log counts its time.
        unreported: texts since the last line.
        unreadable: images of which the log says that they cannot be read.
        missing: held-out rows of which the log says that they count as wrong for want of an image.
    """

    step: int
    texts: int
    validated: int
    best: Best | None
    saved: State | None
    began: float
    saved_at: float
    reported_at: float
    unreported: int = 0
    unreadable: int = 0
    missing: int = 0

    @classmethod
    def at(cls, state: State) -> Self:
        """Begin, or go on, at a state."""
        now = time.monotonic()
        return cls(
            step=state.step,
            texts=state.texts,
            validated=state.validated,
            best=state.best,
            saved=state if state.step else None,
            began=now - state.seconds,
            saved_at=now,
            reported_at=now,
        )

    @property
    def seconds(self) -> float:
        """Time that the job has taken, parts before a resume included."""
        return time.monotonic() - self.began

    @property
    def is_saved(self) -> bool:
        """Whether the weights of this step are in a checkpoint."""
        return self.saved is not None and self.saved.step == self.step

    @property
    def since_line(self) -> float:
        """Seconds since the last line, or since there was something else to do than training."""
        return time.monotonic() - self.reported_at

    @property
    def since_checkpoint(self) -> float:
        """Seconds since the last checkpoint, or since the beginning."""
        return time.monotonic() - self.saved_at

    def count(self, texts: int) -> None:
        """Count a step and its texts."""
        self.step += 1
        self.texts += texts
        self.unreported += texts

    def take_speed(self) -> float:
        """Return the texts a second since the last line, and begin the next one."""
        now = time.monotonic()
        speed = self.unreported / max(now - self.reported_at, 1e-9)
        self.reported_at, self.unreported = now, 0
        return speed

    def save(self, state: State) -> None:
        """Take note of a checkpoint."""
        self.saved, self.saved_at = state, time.monotonic()

    def restart_clock(self) -> None:
        """Let the time of the next line begin now: what took it was no training."""
        self.reported_at = time.monotonic()
