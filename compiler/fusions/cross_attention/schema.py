"""Keys of `cross_attention`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.fusion import FusionLayers, ProjectedStreams, TypedStreams


class CrossAttention(FusionLayers, ProjectedStreams, TypedStreams):
    """Two towers joined by co-attention layers. Source: Tan & Bansal 2019, LXMERT, section 3.1."""

    called: ClassVar[tuple[str, ...]] = ("co_attention", "coattention", "lxmert", "vilbert")
    accepts: ClassVar[Literal["backbone", "embed"]] = "backbone"

    topology: Literal["cross_attention"] = "cross_attention"
    inputs: tuple[str, ...] = key(
        doc="a text stream and a vision stream", impact="weights", positional=True
    )
    cross: Literal["shared", "own"] = key(
        "shared",
        doc="`shared`: in each layer the streams attend to each other with the same weights, then "
        "each to itself (LXMERT); `own`: each to itself, then to the other as it came into the "
        "layer, with weights of its own (METER)",
        impact="weights",
    )
