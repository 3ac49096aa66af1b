"""Keys of `cross_attention`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.fusion import FusionLayers


class CrossAttention(FusionLayers):
    """Two towers joined by co-attention layers. Source: Tan & Bansal 2019, LXMERT, section 3.1."""

    accepts: ClassVar[Literal["backbone", "embed"]] = "backbone"

    topology: Literal["cross_attention"] = "cross_attention"
    inputs: tuple[str, ...] = key(
        doc="a text stream and a vision stream", impact="weights", positional=True
    )
