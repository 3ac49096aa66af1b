"""Keys of `linear`."""

from typing import Literal

from renaissance.grammar.kinds.optimizer import DecayBlock


class Linear(DecayBlock):
    """Falls along a line."""

    schedule: Literal["linear"] = "linear"
