"""What `gated` consists of."""

from collections.abc import Mapping

from renaissance.grammar.anatomy.parts import PLAIN, Component, Components, FusionAnatomy
from renaissance.grammar.kinds.source import SourceBlock
from renaissance_shapes.gated.schema import Gated


def anatomy(fusion: Gated, root: str, streams: Mapping[str, SourceBlock | None]) -> FusionAnatomy:
    """Return the parts of the fusion: addresses that `freeze` and `scale_lr` can name."""
    parts = [
        Component(f"{root}.{part}.{name}", part, PLAIN)
        for part in ("projection", "gate")
        for name in fusion.inputs
    ]
    return FusionAnatomy(
        layers=0,
        parts=(Components(tuple(parts)),),
        widths=dict.fromkeys(fusion.inputs, fusion.width),
    )
