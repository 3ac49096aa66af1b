"""Keys of `random("…")`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.source import Dimensions, LibraryEncoder, Position


class RandomArchitecture(Dimensions, LibraryEncoder):
    """The architecture of a known model without its weights; dimensions may differ from it."""

    positions: ClassVar[frozenset[Position]] = frozenset({"backbone", "encoder"})
    bare: ClassVar[str | None] = "plain"

    source: Literal["random"] = "random"
    id: str = key(
        doc="hub id, timm name or path of a local folder", impact="weights", positional=True
    )

    @property
    def identifier(self) -> str:
        """The hub id, timm name or folder."""
        return self.id
