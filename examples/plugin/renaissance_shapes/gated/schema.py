"""Keys of `gated`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.fusion import FusionBlock


class Gated(FusionBlock):
    """Two towers, each gated by the mean of the other."""

    accepts: ClassVar[Literal["backbone", "embed"]] = "backbone"

    topology: Literal["gated"] = "gated"
    inputs: tuple[str, ...] = key(
        doc="a text stream and a vision stream", impact="weights", positional=True
    )
    width: int = key(256, doc="hidden size", impact="weights", unit="channels", ge=1, le=65_536)
