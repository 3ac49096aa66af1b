"""Fusions: how streams are joined."""

from typing import ClassVar, Literal, Self

from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.source import SourceBlock


class FusionBlock(KindBlock):
    """How the streams of a model are joined.

    Facets: `anatomy.py` says what it consists of, `module.py` is its mathematics, `lowered.py`, if
    there is one, computes the same on packed rows and only what is read.
    """

    family: ClassVar[str] = "fusion"
    accepts: ClassVar[Literal["backbone", "embed"]]
    """How the streams that it joins are declared."""

    inputs: tuple[str, ...]

    @property
    def stack(self) -> SourceBlock | None:
        """The stack of layers that all streams run through together; None where there is none."""
        return None

    def with_stack(self, stack: SourceBlock) -> Self:
        """Return the same fusion over another stack."""
        return self
