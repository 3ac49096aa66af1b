"""Keys of `merged_attention`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.fusion import FusionLayers, ProjectedStreams, TypedStreams


class MergedAttention(FusionLayers, ProjectedStreams, TypedStreams):
    """Towers joined to one sequence, and one stack over it. Source: Dou et al. 2022, METER."""

    called: ClassVar[tuple[str, ...]] = ("meter", "merged")
    accepts: ClassVar[Literal["backbone", "embed"]] = "backbone"
    joins_several: ClassVar[bool] = True

    topology: Literal["merged_attention"] = "merged_attention"
    inputs: tuple[str, ...] = key(
        doc="a text stream and vision streams, in the order of the joint sequence",
        impact="weights",
        positional=True,
    )
