"""What layers consist of in which one stream attends to another."""

from collections.abc import Mapping
from functools import lru_cache

from renaissance.compiler.fusions.asymmetric.schema import Asymmetric
from renaissance.grammar.anatomy.encoders import stream_anatomy
from renaissance.grammar.anatomy.parts import (
    NORMED,
    PLAIN,
    Component,
    Components,
    FusionAnatomy,
)
from renaissance.grammar.kinds.source import SourceBlock


def anatomy(
    fusion: Asymmetric, root: str, streams: Mapping[str, SourceBlock | None]
) -> FusionAnatomy:
    """Return the parts of the fusion at an address.

    Args:
        fusion: its declaration.
        root: its address.
        streams: that it joins; None for one of which nothing more is known.
    """
    asking, answering = fusion.inputs
    width = stream_anatomy(streams.get(asking)).width
    projected = (asking,) if width != fusion.width else ()
    return FusionAnatomy(
        layers=fusion.layers,
        parts=(_parts(root, projected, fusion.layers),),
        widths={asking: fusion.width, answering: stream_anatomy(streams.get(answering)).width},
        known=width is not None,
    )


@lru_cache(maxsize=64)
def _parts(root: str, projected: tuple[str, ...], layers: int) -> Components:
    found = [Component(f"{root}.projection.{name}", "projection", PLAIN) for name in projected]
    for index in range(layers):
        layer = f"{root}.layers[{index}]"
        found += [
            Component(f"{layer}.attention", "attention", NORMED),
            Component(f"{layer}.cross", "cross_attention", NORMED),
            Component(f"{layer}.mlp", "mlp", NORMED),
        ]
    return Components(tuple(found))
