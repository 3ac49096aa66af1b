"""Keys of `linear`."""

from typing import ClassVar, Literal

from renaissance.grammar.kinds.optimizer import DecayBlock


class Linear(DecayBlock):
    """Falls along a line."""

    called: ClassVar[tuple[str, ...]] = ("linear_with_warmup", "linear_decay")

    schedule: Literal["linear"] = "linear"
