"""The decay of `cosine`."""

import math

from renaissance.runtime.schedules.cosine.schema import Cosine


def factor(block: Cosine, done: float) -> float:
    """Return the share of the peak that is left after a share of the decay."""
    return 0.5 * (1 + math.cos(math.pi * done))
