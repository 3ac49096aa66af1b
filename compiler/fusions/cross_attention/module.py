"""Two streams joined by co-attention layers.

Source: Tan & Bansal 2019, LXMERT, section 3.1; Dou et al. 2022, METER, section 3.1 (co-attention).
"""

from collections.abc import Mapping

from torch import nn

from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.initialisation import initialise
from renaissance.compiler.model.post_norm import (
    PostNormAttention,
    PostNormCrossLayer,
    PostNormLayer,
)
from renaissance.compiler.model.projections import projections
from renaissance.compiler.model.tower import Stacked, TowerFacts
from renaissance.compiler.model.transformer import check_heads
from renaissance.compiler.model.type_embedding import TypeEmbedding


def build(
    fusion: CrossAttention,
    streams: Mapping[str, TowerFacts],
    *,
    address: str,
    stack: Stacked | None,
) -> "CoAttention":
    """Return the fusion of streams of which so much is known."""
    return CoAttention(fusion, streams, address)


class CoAttentionLayer(nn.Module):
    """Each stream attends to the other with the same weights, then to itself with its own."""

    def __init__(self, spec: CrossAttention) -> None:
        super().__init__()
        self.inputs = spec.inputs
        self.cross = PostNormAttention(spec)
        self.streams = nn.ModuleDict({name: PostNormLayer(spec) for name in spec.inputs})

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Map both streams, tokens `[rows, n, width]`, to the same shapes."""
        first, second = self.inputs
        crossed = {
            first: self.cross(features[first], features[second]),
            second: self.cross(features[second], features[first]),
        }
        return {name: self.streams[name](stream) for name, stream in crossed.items()}


class TwinLayer(nn.Module):
    """Each stream attends to itself, then to the other as it came, with weights of its own."""

    def __init__(self, spec: CrossAttention) -> None:
        super().__init__()
        self.inputs = spec.inputs
        self.streams = nn.ModuleDict({name: PostNormCrossLayer(spec) for name in spec.inputs})

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Map both streams, tokens `[rows, n, width]`, to the same shapes."""
        first, second = self.inputs
        return {
            first: self.streams[first](features[first], features[second]),
            second: self.streams[second](features[second], features[first]),
        }


class CoAttention(nn.Module):
    """Projections to a common width, perhaps type embeddings, and co-attention layers.

    Args:
        spec: its declaration.
        towers: what is known of each stream.
        address: its root address, for messages.
    """

    def __init__(
        self, spec: CrossAttention, towers: Mapping[str, TowerFacts], address: str
    ) -> None:
        super().__init__()
        check_heads(spec.width, spec.heads, address)
        self.inputs = spec.inputs
        self.widths = dict.fromkeys(spec.inputs, spec.width)
        self.projection = projections(spec, towers, spec.width)
        self.type_embedding = TypeEmbedding(spec.inputs if spec.type_embedding else (), spec.width)
        layer = CoAttentionLayer if spec.cross == "shared" else TwinLayer
        self.layers = nn.ModuleList(layer(spec) for _ in range(spec.layers))
        initialise(self)

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Fuse streams whose rows correspond.

        Args:
            features: each stream as its tower gives it, tokens `[rows, n, width of its tower]`.

        Returns:
            Each stream, tokens `[rows, n, width]`.
        """
        fused = {name: self.embedded(name, features[name]) for name in self.inputs}
        for layer in self.layers:
            fused = layer(fused)
        return fused

    def serving(self, stream: str) -> dict[str, nn.Module]:
        """Return the parts, by address, without which the other stream comes out the same."""
        last = len(self.layers) - 1
        return {f"layers[{last}].{stream}": self.layers[last].get_submodule(f"streams.{stream}")}

    def embedded(self, name: str, stream: Features) -> Features:
        """Bring a stream to the common width, and tell its tokens from those of the other."""
        tokens = stream.tokens
        if name in self.projection:
            tokens = self.projection[name](tokens)  # [rows, n, width]
        return stream.with_tokens(self.type_embedding(name, tokens))
