"""What two towers side by side consist of."""

from collections.abc import Mapping
from functools import lru_cache

from renaissance.compiler.fusions.dual_encoder.schema import DualEncoder
from renaissance.grammar.anatomy.parts import Component, Components, FusionAnatomy
from renaissance.grammar.kinds.source import SourceBlock


def anatomy(
    fusion: DualEncoder, root: str, streams: Mapping[str, SourceBlock | None]
) -> FusionAnatomy:
    """Return the parts of the fusion at an address.

    Args:
        fusion: its declaration.
        root: its address.
        streams: that it projects; None for one of which nothing more is known.
    """
    return FusionAnatomy(
        layers=0,
        parts=(_projections(root, fusion.inputs),),
        widths=dict.fromkeys(fusion.inputs, fusion.width),
    )


@lru_cache(maxsize=64)
def _projections(root: str, inputs: tuple[str, ...]) -> Components:
    """Return a linear map without bias for each stream."""
    return Components(
        tuple(Component(f"{root}.projection.{name}", "projection", ((),)) for name in inputs)
    )
