"""Keys of `regions`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.source import Detected, Position, SourceBlock


class Regions(Detected, SourceBlock):
    """Embedded features of detected regions. Source: Li et al. 2019, VisualBERT."""

    positions: ClassVar[frozenset[Position]] = frozenset({"embed"})

    source: Literal["regions"] = "regions"
    width: int | None = key(
        None,
        doc="embedding size; projected where it differs from the stack's width",
        impact="weights",
        unit="channels",
        ge=1,
        le=65_536,
    )
