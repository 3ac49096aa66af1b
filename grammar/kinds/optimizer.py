"""Optimizers and schedules: how weights follow gradients over a run."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import Field

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.remark import Remark

MOST_STEPS = 1_000_000_000

Step = Annotated[int, Field(ge=0, le=MOST_STEPS)]
"""A number of steps, none included."""

Decay = Annotated[float, Field(ge=0, lt=1)]
"""How much of a running average is left after a step."""


class OptimizerBlock(KindBlock):
    """How weights follow gradients. Facets: `optimizer.py` builds it for groups of parameters."""

    family: ClassVar[str] = "optimizer"
    highest_rate: ClassVar[float]
    """Learning rate beyond which nothing is learned."""
    usual_rates: ClassVar[tuple[str, str]] = ("1e-5", "1e-3")
    """Between which learning rates usually are, as files spell them."""

    lr: float = key(doc="peak learning rate", impact="training", gt=0, le=1_000_000)

    @property
    def averages(self) -> int:
        """Running averages that it keeps of each number that learns."""
        raise NotImplementedError

    def remarks(self) -> Iterable[Remark]:
        """Return what is wrong with it."""
        return ()


class ScheduleBlock(KindBlock):
    """Learning rate over the steps of the run: a warm-up, then what the kind says.

    Facets: `rate.py` says what is left of the peak after a share of what follows the warm-up.
    """

    family: ClassVar[str] = "schedule"

    warmup: Share | Step = key(
        Share(0.1), doc="steps of linear warm-up, or their share of the run", impact="training"
    )


class DecayBlock(ScheduleBlock):
    """A schedule that falls to `end_lr` after the warm-up."""

    end_lr: float = key(
        0.0, doc="share of the peak that is left at the end", impact="training", ge=0, le=1
    )
