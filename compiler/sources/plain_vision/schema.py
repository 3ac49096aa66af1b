"""Keys of `plain_vision`."""

from typing import ClassVar, Literal

from renaissance.grammar.kinds.source import Patched, Position, StackDimensions


class PlainVision(Patched, StackDimensions):
    """A vision transformer over patches, with a class token."""

    positions: ClassVar[frozenset[Position]] = frozenset({"backbone"})

    source: Literal["plain_vision"] = "plain_vision"
