"""What co-attention layers consist of."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import product

from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.grammar.anatomy.encoders import projections
from renaissance.grammar.anatomy.parts import (
    NORMED,
    Component,
    Components,
    FusionAnatomy,
    joining_parts,
)
from renaissance.grammar.kinds.source import SourceBlock


def anatomy(
    fusion: CrossAttention, root: str, streams: Mapping[str, SourceBlock | None]
) -> FusionAnatomy:
    """Return the parts of the fusion at an address.

    Args:
        fusion: its declaration.
        root: its address.
        streams: that it joins; None for one of which nothing more is known.
    """
    projected, known = projections(fusion, streams, fusion.width)
    return FusionAnatomy(
        layers=fusion.layers,
        parts=(
            joining_parts(root, projected, typed=fusion.type_embedding),
            _layers(root, fusion.inputs, fusion.layers, fusion.cross == "shared"),
        ),
        widths=dict.fromkeys(fusion.inputs, fusion.width),
        known=known,
    )


@lru_cache(maxsize=64)
def _layers(root: str, inputs: tuple[str, ...], layers: int, shared: bool) -> Components:
    parts = ("attention", "mlp") if shared else ("attention", "cross", "mlp")
    found: list[Component] = []
    for index in range(layers):
        layer = f"{root}.layers[{index}]"
        if shared:
            found.append(Component(f"{layer}.cross", "cross_attention", NORMED))
        for name, part in product(inputs, parts):
            module = f"layers[{index}].streams.{name}.{part}"
            kind = "cross_attention" if part == "cross" else part
            found.append(Component(f"{layer}.{name}.{part}", kind, NORMED, module))
    return Components(tuple(found))
