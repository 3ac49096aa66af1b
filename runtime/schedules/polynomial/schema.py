"""Keys of `polynomial`."""

from typing import Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.optimizer import DecayBlock


class Polynomial(DecayBlock):
    """Falls along a power of the remaining share of steps."""

    schedule: Literal["polynomial"] = "polynomial"
    power: float = key(1.0, doc="exponent", impact="training", gt=0, le=100)
