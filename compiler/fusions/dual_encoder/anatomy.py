"""What two towers side by side consist of."""

from collections.abc import Mapping
from functools import lru_cache

from renaissance.compiler.fusions.dual_encoder.schema import DualEncoder
from renaissance.grammar.anatomy.parts import PLAIN, Component, Components, FusionAnatomy
from renaissance.grammar.kinds.source import SourceBlock, modality


def anatomy(
    fusion: DualEncoder, root: str, streams: Mapping[str, SourceBlock | None]
) -> FusionAnatomy:
    """Return the parts of the fusion at an address.

    Args:
        fusion: its declaration.
        root: its address.
        streams: that it projects; None for one of which nothing more is known.
    """
    blocks = {name: streams.get(name) for name in fusion.inputs}
    projected = tuple(
        name
        for name, block in blocks.items()
        if fusion.projects("text" if block is None else modality(block))
    )
    return FusionAnatomy(
        layers=0,
        parts=(_projections(root, projected, fusion.bias),),
        widths=dict.fromkeys(fusion.inputs, fusion.width),
    )


@lru_cache(maxsize=64)
def _projections(root: str, projected: tuple[str, ...], bias: bool) -> Components:
    """Return a linear map for each stream that is projected."""
    leaves = PLAIN if bias else ((),)
    return Components(
        tuple(Component(f"{root}.projection.{name}", "projection", leaves) for name in projected)
    )
