"""Keys of `cross_attention`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.source import Activation


class CrossAttention(FusionBlock):
    """Two towers joined by co-attention layers. Source: Tan & Bansal 2019, LXMERT, section 3.1."""

    accepts: ClassVar[Literal["backbone", "embed"]] = "backbone"

    topology: Literal["cross_attention"] = "cross_attention"
    inputs: tuple[str, ...] = key(
        doc="a text stream and a vision stream", impact="weights", positional=True
    )
    layers: int = key(6, doc="co-attention layers", impact="weights", ge=1, le=1000)
    width: int = key(256, doc="hidden size", impact="weights", unit="channels", ge=1, le=65_536)
    heads: int = key(4, doc="attention heads; divides the width", impact="numerics", ge=1, le=4096)
    mlp_ratio: float = key(
        4.0,
        doc="width of the feed-forward part over the hidden size",
        impact="weights",
        gt=0,
        le=256,
    )
    dropout: float = key(
        0.1, doc="probability of dropping an activation", impact="numerics", ge=0, lt=1
    )
    activation: Activation = key("gelu", doc="of the feed-forward part", impact="numerics")
