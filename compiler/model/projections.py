"""What brings streams to the width of a fusion."""

from collections.abc import Mapping

from torch import nn

from renaissance.compiler.model.tower import TowerFacts
from renaissance.grammar.kinds.fusion import ProjectedStreams


def projections(
    spec: ProjectedStreams, towers: Mapping[str, TowerFacts], width: int
) -> nn.ModuleDict:
    """Return a linear map for each stream that a fusion projects.

    Args:
        spec: declaration of the fusion.
        towers: what is known of each stream.
        width: of the fusion.
    """
    return nn.ModuleDict(
        {
            name: nn.Linear(towers[name].width, width)
            for name in spec.inputs
            if spec.projects(towers[name].width, width)
        }
    )
