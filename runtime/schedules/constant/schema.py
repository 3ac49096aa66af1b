"""Keys of `constant`."""

from typing import Literal

from renaissance.grammar.kinds.optimizer import ScheduleBlock


class Constant(ScheduleBlock):
    """Stays at the peak after the warm-up."""

    schedule: Literal["constant"] = "constant"
