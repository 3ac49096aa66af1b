"""Optimizers and schedules: how weights follow gradients over a run."""

from typing import Annotated, ClassVar

from pydantic import Field

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.block import KindBlock

MOST_STEPS = 1_000_000_000

Step = Annotated[int, Field(ge=0, le=MOST_STEPS)]
"""A number of steps, none included."""


class OptimizerBlock(KindBlock):
    """How weights follow gradients. Facets: `optimizer.py` builds it for groups of parameters."""

    family: ClassVar[str] = "optimizer"
    highest_rate: ClassVar[float]
    """Learning rate beyond which nothing is learned."""
    averages: ClassVar[int]
    """Running averages that it keeps of each number that learns."""

    lr: float = key(doc="peak learning rate", impact="training", gt=0, le=1_000_000)


class ScheduleBlock(KindBlock):
    """Learning rate over the steps of the run: a warm-up, then a decay to `end_lr`.

    Facets: `rate.py` says what is left of the peak after a share of the decay.
    """

    family: ClassVar[str] = "schedule"

    warmup: Share | Step = key(
        Share(0.1), doc="steps of linear warm-up, or their share of the run", impact="training"
    )
    end_lr: float = key(
        0.0, doc="share of the peak that is left at the end", impact="training", ge=0, le=1
    )
