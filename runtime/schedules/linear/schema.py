"""Keys of `linear`."""

from typing import Literal

from renaissance.grammar.kinds.optimizer import ScheduleBlock


class Linear(ScheduleBlock):
    """Falls along a line."""

    schedule: Literal["linear"] = "linear"
