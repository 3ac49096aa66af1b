"""Keys of `patches`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.source import Patched, Position, SourceBlock


class Patches(Patched, SourceBlock):
    """Patch and position embeddings of a one-tower model, with a class token."""

    positions: ClassVar[frozenset[Position]] = frozenset({"embed"})

    source: Literal["patches"] = "patches"
    width: int | None = key(
        None,
        doc="embedding size; projected where it differs from the stack's width",
        impact="weights",
        unit="channels",
        ge=1,
        le=65_536,
    )
    weights: str | None = key(
        None,
        doc="hub id, timm name or folder of a model whose patches, class token and positions they "
        "start from; random ones if absent",
        impact="training",
    )

    @property
    def weights_of(self) -> str | None:
        """The hub id, timm name or folder whose embeddings it starts from."""
        return self.weights
