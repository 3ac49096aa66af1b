"""What co-attention layers consist of."""

from collections.abc import Mapping
from functools import lru_cache

from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.grammar.anatomy.parts import FusionAnatomy, Leaf, full, joining_leaves
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
    return FusionAnatomy(
        layers=fusion.layers,
        leaves=joining_leaves(root, fusion.inputs) | _layers(root, fusion.inputs, fusion.layers),
    )


@lru_cache(maxsize=64)
def _layers(root: str, inputs: tuple[str, ...], layers: int) -> frozenset[Leaf]:
    found: set[Leaf] = set()
    for index in range(layers):
        layer = f"{root}.layers[{index}]"
        found.update(full(f"{layer}.cross", "attention"))
        for name in inputs:
            found.update(full(f"{layer}.{name}.attention", "attention"))
            found.update(full(f"{layer}.{name}.mlp", "mlp"))
    return frozenset(found)
