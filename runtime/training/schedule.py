"""The learning rate as a pure function of the step."""

import math
from dataclasses import dataclass
from typing import Self

from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.optimizer import ScheduleBlock
from renaissance.runtime.errors import JobError
from renaissance.runtime.schedules.cosine.schema import Cosine
from renaissance.runtime.schedules.polynomial.schema import Polynomial


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRate:
    """A warm-up along a line, then a decay over the rest of the run.

    The first step of a warm-up of `n` steps has `1 / n` of the peak, its last step the peak; the
    decay would reach `end` one step after the last. So no step has a rate of zero.

    Attributes:
        peak: learning rate at the end of the warm-up.
        warmup: steps of the warm-up.
        total: steps of the run.
        end: share of the peak that is left after the run.
        shape: how it falls.
    """

    peak: float
    warmup: int
    total: int
    end: float
    shape: ScheduleBlock

    @classmethod
    def of(cls, schedule: ScheduleBlock, peak: float, total_steps: int) -> Self:
        """Lay a schedule over the run that will happen.

        Raises:
            JobError: if the warm-up is longer than the run.
        """
        warmup = steps_of(schedule.warmup, total_steps)
        if warmup > total_steps:
            raise JobError(
                f"the warm-up of {warmup} steps is longer than the run of {total_steps} steps; "
                "shorten `warmup`, or state it as a share such as `10%`"
            )
        return cls(peak=peak, warmup=warmup, total=total_steps, end=schedule.end_lr, shape=schedule)

    def at(self, step: int) -> float:
        """Return the rate of a step, counted from 0."""
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        if step >= self.total:
            return self.peak * self.end
        passed = (step - self.warmup) / (self.total - self.warmup)
        if isinstance(self.shape, Cosine):
            left = 0.5 * (1 + math.cos(math.pi * passed))
        else:
            power = self.shape.power if isinstance(self.shape, Polynomial) else 1.0
            left = (1 - passed) ** power
        return self.peak * (self.end + (1 - self.end) * left)


def steps_of(value: Share | int, total_steps: int) -> int:
    """Return a number of steps that a spec gives as such, or as a share of the run."""
    return round(value * total_steps) if isinstance(value, Share) else value
