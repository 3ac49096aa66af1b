"""Keys of `random` without parentheses, as the encoder of a fusion."""

from typing import ClassVar, Literal

from renaissance.grammar.kinds.source import Position, StackDimensions


class PlainStack(StackDimensions):
    """A pre-norm transformer stack, defined by its dimensions alone."""

    positions: ClassVar[frozenset[Position]] = frozenset({"encoder"})
    spelled: ClassVar[str | None] = "random"

    source: Literal["plain"] = "plain"
