"""Each stream, gated by the other one."""

from collections.abc import Mapping

from torch import nn

from renaissance.compiler.model.features import Features
from renaissance.compiler.model.pool import mean
from renaissance.compiler.model.tower import Stacked, TowerFacts
from renaissance_shapes.gated.schema import Gated


def build(
    fusion: Gated, streams: Mapping[str, TowerFacts], *, address: str, stack: Stacked | None
) -> "GatedStreams":
    """Return the fusion of streams of which so much is known."""
    return GatedStreams(fusion, streams)


class GatedStreams(nn.Module):
    """Projections to one width, and a gate for each stream."""

    def __init__(self, spec: Gated, streams: Mapping[str, TowerFacts]) -> None:
        super().__init__()
        self.widths = dict.fromkeys(spec.inputs, spec.width)
        self.projection = nn.ModuleDict(
            {name: nn.Linear(streams[name].width, spec.width) for name in spec.inputs}
        )
        self.gate = nn.ModuleDict({name: nn.Linear(spec.width, spec.width) for name in spec.inputs})

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Gate streams `[rows, n, its width]`; returns them `[rows, n, width]`."""
        projected = {
            name: features[name].with_tokens(linear(features[name].tokens))
            for name, linear in self.projection.items()
        }
        means = {name: mean(stream) for name, stream in projected.items()}
        one, other = projected
        gate = {one: self.gate[one](means[other]), other: self.gate[other](means[one])}
        return {
            name: stream.with_tokens(stream.tokens * gate[name].sigmoid()[:, None])
            for name, stream in projected.items()
        }

    def serving(self, stream: str) -> dict[str, nn.Module]:
        """Return the parts that nothing needs where no head reads a stream."""
        return {f"gate.{stream}": self.gate[stream]}
