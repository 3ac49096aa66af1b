"""The learning rate as a pure function of the step."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.optimizer import DecayBlock, ScheduleBlock
from renaissance.grammar.kinds.registry import facet
from renaissance.runtime.errors import JobError


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRate:
    """A warm-up along a line, then a decay, or none, over the rest of the run.

    The first step of a warm-up of `n` steps has `1 / n` of the peak, its last step the peak; the
    decay would reach `end` one step after the last. So no step has a rate of zero.

    Attributes:
        peak: learning rate at the end of the warm-up.
        warmup: steps of the warm-up.
        total: steps of the run.
        end: share of the peak that is left after the run.
        left: share of what it falls by that is left after a share of the decay.
    """

    peak: float
    warmup: int
    total: int
    end: float
    left: Callable[[float], float]

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
        return cls(
            peak=peak,
            warmup=warmup,
            total=total_steps,
            end=schedule.end_lr if isinstance(schedule, DecayBlock) else 1.0,
            left=partial(facet(schedule, "rate").factor, schedule),
        )

    def at(self, step: int) -> float:
        """Return the rate of a step, counted from 0."""
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        if step >= self.total:
            return self.peak * self.end
        passed = (step - self.warmup) / (self.total - self.warmup)
        return self.peak * (self.end + (1 - self.end) * self.left(passed))


def steps_of(value: Share | int, total_steps: int) -> int:
    """Return a number of steps that a spec gives as such, or as a share of the run."""
    return round(value * total_steps) if isinstance(value, Share) else value
