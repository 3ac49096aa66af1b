"""Projections of no more tokens than are read."""

from collections.abc import Mapping, Sequence

from torch import nn

from renaissance.compiler.fusions.dual_encoder.module import SideBySide
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.readings import RowGroup, consecutive


class LoweredSideBySide(SideBySide):
    """Maps of rows in any form."""

    def read(
        self, features: Mapping[str, Features], parts: Sequence[RowGroup]
    ) -> list[dict[str, Features]]:
        """Project what is read.

        Args:
            features: as `forward` takes them.
            parts: consecutive rows with what is read of them; together they cover all rows.

        Returns:
            For each part, the streams that it names, as `Features.read` gives them.
        """
        return [
            {name: self._projected(name, streams[name].read(wanted)) for name, wanted in of.items()}
            for streams, of in consecutive(features, parts)
        ]

    def _projected(self, name: str, read: Features) -> Features:
        return read.with_tokens(self.mapped(name, read.tokens))


TWINS: dict[type[nn.Module], type[nn.Module]] = {SideBySide: LoweredSideBySide}
"""What takes the place of which plain module; parameters stay."""
