"""Keys of `cosine`."""

from typing import Literal

from renaissance.grammar.kinds.optimizer import ScheduleBlock


class Cosine(ScheduleBlock):
    """Falls along half a cosine."""

    schedule: Literal["cosine"] = "cosine"
