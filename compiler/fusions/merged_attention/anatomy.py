"""What one stack over all streams behind their towers consists of."""

from collections.abc import Mapping
from functools import lru_cache

from renaissance.compiler.fusions.merged_attention.schema import MergedAttention
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
    fusion: MergedAttention, root: str, streams: Mapping[str, SourceBlock | None]
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
            _layers(root, fusion.layers),
        ),
        widths=dict.fromkeys(fusion.inputs, fusion.width),
        known=known,
    )


@lru_cache(maxsize=64)
def _layers(root: str, layers: int) -> Components:
    return Components(
        tuple(
            Component(f"{root}.layers[{index}].{part}", part, NORMED)
            for index in range(layers)
            for part in ("attention", "mlp")
        )
    )
