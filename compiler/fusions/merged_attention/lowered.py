"""Layers over the tokens of both streams, in any form, and in the last only what is read."""

from collections.abc import Mapping, Sequence

from torch import nn

from renaissance.compiler.fusions.merged_attention.module import MergedLayers
from renaissance.compiler.lowering.joint import JointRows
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.readings import RowGroup


class LoweredMergedLayers(MergedLayers):
    """Layers over rows in any form."""

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Fuse streams whose rows correspond; each comes back in its form."""
        joint, before_last = self._before_last(features)
        return joint.apart(self.layers[-1](before_last))

    def read(
        self, features: Mapping[str, Features], parts: Sequence[RowGroup]
    ) -> list[dict[str, Features]]:
        """Fuse, and compute in the last layer only what is read.

        Args:
            features: as `forward` takes them.
            parts: consecutive rows with what is read of them; together they cover all rows.

        Returns:
            For each part, the streams that it names, as `Features.read` gives them.
        """
        joint, before_last = self._before_last(features)
        return joint.read(parts, lambda places: self.layers[-1](before_last, places))

    def _before_last(self, features: Mapping[str, Features]) -> tuple[JointRows, Features]:
        joint = JointRows.of(self.embedded(features))
        fused = joint.rows
        for layer in self.layers[:-1]:
            fused = layer(fused)
        return joint, fused


TWINS: dict[type[nn.Module], type[nn.Module]] = {MergedLayers: LoweredMergedLayers}
"""What takes the place of which plain module; parameters stay."""
