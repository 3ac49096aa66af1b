"""Co-attention layers on rows in any form, that compute in the last of them only what is read."""

from collections.abc import Mapping, Sequence

from torch import nn

from renaissance.compiler.fusions.cross_attention.module import (
    CoAttention,
    CoAttentionLayer,
    TwinLayer,
)
from renaissance.compiler.lowering.multi_head import LoweredMultiHead
from renaissance.compiler.lowering.post_norm import LoweredPostNormAttention
from renaissance.compiler.model.features import Features, Queries
from renaissance.compiler.model.readings import RowGroup, consecutive


class LoweredCoAttentionLayer(CoAttentionLayer):
    """A layer that leaves out streams and tokens that nobody reads."""

    cross: LoweredPostNormAttention

    def forward(
        self, features: Mapping[str, Features], queries: Mapping[str, Queries] | None = None
    ) -> dict[str, Features]:
        """Map both streams to what is read of them.

        Args:
            features: both streams, rows corresponding.
            queries: what is read of which streams; everything if None.
        """
        if queries is None:
            queries = dict.fromkeys(self.inputs, "all")
        crossed = self._crossed(features, queries)
        return {name: self.streams[name](crossed[name], queries[name]) for name in queries}

    def _crossed(
        self, features: Mapping[str, Features], queries: Mapping[str, Queries]
    ) -> dict[str, Features]:
        first, second = self.inputs
        if len(queries) == 2:
            both = self.cross.both(features[first], features[second])
            return dict(zip(self.inputs, both, strict=True))
        other = {first: second, second: first}
        return {name: self.cross(features[name], features[other[name]]) for name in queries}


class LoweredTwinLayer(TwinLayer):
    """A layer that leaves out streams and tokens that nobody reads."""

    def forward(
        self, features: Mapping[str, Features], queries: Mapping[str, Queries] | None = None
    ) -> dict[str, Features]:
        """Map both streams to what is read of them; arguments as of `LoweredCoAttentionLayer`."""
        if queries is None:
            queries = dict.fromkeys(self.inputs, "all")
        first, second = self.inputs
        other = {first: second, second: first}
        return {
            name: self.streams[name](features[name], features[other[name]], queries[name])
            for name in queries
        }


class LoweredCoAttention(CoAttention):
    """Co-attention layers on rows in any form."""

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Fuse streams whose rows correspond; each comes back in the form that it is worked on."""
        return self.layers[-1](self._before_last(features))  # type: ignore[no-any-return]

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
        rows = consecutive(self._before_last(features), parts)
        return [self.layers[-1](streams, queries) for streams, queries in rows]

    def _before_last(self, features: Mapping[str, Features]) -> dict[str, Features]:
        fused = {
            name: self.embedded(name, stream)
            for name, stream in self._in_one_form(features).items()
        }
        for layer in self.layers[:-1]:
            fused = layer(fused)
        return fused

    def _in_one_form(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Pack both streams where the kernels run, once for all layers."""
        streams = {name: features[name] for name in self.inputs}
        attention = next(
            part for part in self.layers[0].modules() if isinstance(part, LoweredMultiHead)
        )
        if not attention.wants_packed(streams.values()):
            return streams
        return {name: stream.packed() for name, stream in streams.items()}


TWINS: dict[type[nn.Module], type[nn.Module]] = {
    CoAttention: LoweredCoAttention,
    CoAttentionLayer: LoweredCoAttentionLayer,
    TwinLayer: LoweredTwinLayer,
}
"""What takes the place of which plain module; parameters stay."""
