"""Layers of the stream that attends, on rows in any form, and in the last only what is read."""

from collections.abc import Mapping, Sequence

from torch import nn

from renaissance.compiler.fusions.asymmetric.module import AsymmetricLayers
from renaissance.compiler.lowering.multi_head import LoweredMultiHead
from renaissance.compiler.model.features import Features, Queries
from renaissance.compiler.model.readings import RowGroup, consecutive


class LoweredAsymmetricLayers(AsymmetricLayers):
    """Layers on rows in any form."""

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Fuse streams whose rows correspond; each comes back in the form that it is worked on."""
        stream, context = self._before_last(features)
        return {self.asking: self.layers[-1](stream, context), self.answering: context}

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
        if not any(self.asking in part.queries for part in parts):
            rows = consecutive({self.answering: features[self.answering]}, parts)
            return [_read(streams, queries) for streams, queries in rows]
        stream, context = self._before_last(features)
        rows = consecutive({self.asking: stream, self.answering: context}, parts)
        return [self._last(streams, queries) for streams, queries in rows]

    def alone(self, stream: str, features: Features, queries: Queries) -> Features:
        """Encode a stream without the other one, in the last layer only what is read."""
        found = self.projected(features)
        attention: LoweredMultiHead = self.layers[0].get_submodule("attention.attention")  # type: ignore[assignment]
        if attention.wants_packed((found,)):
            found = found.packed()
        for layer in self.layers[:-1]:
            found = layer(found)
        return self.layers[-1](found, None, queries)  # type: ignore[no-any-return]

    def _last(
        self, streams: Mapping[str, Features], queries: Mapping[str, Queries]
    ) -> dict[str, Features]:
        context = streams[self.answering]
        found = _read({self.answering: context}, queries)
        if self.asking in queries:
            last = self.layers[-1]
            found[self.asking] = last(streams[self.asking], context, queries[self.asking])
        return found

    def _before_last(self, features: Mapping[str, Features]) -> tuple[Features, Features]:
        stream, context = self.projected(features[self.asking]), features[self.answering]
        # Packed once for all layers where the kernels run.
        attention: LoweredMultiHead = self.layers[0].get_submodule("cross.attention")  # type: ignore[assignment]
        if attention.wants_packed((stream, context)):
            stream, context = stream.packed(), context.packed()
        for layer in self.layers[:-1]:
            stream = layer(stream, context)
        return stream, context


def _read(streams: Mapping[str, Features], queries: Mapping[str, Queries]) -> dict[str, Features]:
    return {name: stream.read(queries[name]) for name, stream in streams.items() if name in queries}


TWINS: dict[type[nn.Module], type[nn.Module]] = {AsymmetricLayers: LoweredAsymmetricLayers}
"""What takes the place of which plain module; parameters stay."""
