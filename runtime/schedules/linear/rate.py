"""The decay of `linear`."""

from renaissance.runtime.schedules.linear.schema import Linear


def factor(block: Linear, done: float) -> float:
    """Return the share of the peak that is left after a share of the decay."""
    return 1 - done
