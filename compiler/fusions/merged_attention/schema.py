"""Keys of `merged_attention`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.fusion import FusionLayers, ProjectedStreams, TypedStreams


class MergedAttention(FusionLayers, ProjectedStreams, TypedStreams):
    """Two towers joined to one sequence, and one stack over it. Source: Dou et al. 2022, METER."""

    accepts: ClassVar[Literal["backbone", "embed"]] = "backbone"

    topology: Literal["merged_attention"] = "merged_attention"
    inputs: tuple[str, ...] = key(
        doc="a text stream and a vision stream, in the order of the joint sequence",
        impact="weights",
        positional=True,
    )
