"""Keys of `cosine`."""

from typing import Literal

from renaissance.grammar.kinds.optimizer import DecayBlock


class Cosine(DecayBlock):
    """Falls along half a cosine."""

    schedule: Literal["cosine"] = "cosine"
