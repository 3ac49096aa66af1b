"""The decay of `polynomial`."""

from renaissance.runtime.schedules.polynomial.schema import Polynomial


def factor(block: Polynomial, done: float) -> float:
    """Return the share of the peak that is left after a share of the decay."""
    left: float = (1 - done) ** block.power
    return left
