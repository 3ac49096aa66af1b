"""Each stream, gated by the other one."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from renaissance.compiler.model.features import Features
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
        mean = {name: _mean(stream) for name, stream in projected.items()}
        one, other = projected
        gate = {one: self.gate[one](mean[other]), other: self.gate[other](mean[one])}
        return {
            name: stream.with_tokens(stream.tokens * gate[name].sigmoid()[:, None])
            for name, stream in projected.items()
        }

    def serving(self, stream: str) -> dict[str, nn.Module]:
        """Return the parts that nothing needs where no head reads a stream."""
        return {f"gate.{stream}": self.gate[stream]}


def _mean(stream: Features) -> Tensor:
    """Return the mean of the tokens that are no padding, `[rows, width]`."""
    if stream.mask is None:
        return stream.tokens.mean(1)
    share = stream.mask.to(stream.tokens.dtype)  # [rows, n]
    share = share / share.sum(1, keepdim=True)
    return torch.einsum("rn,rnc->rc", share, stream.tokens)
