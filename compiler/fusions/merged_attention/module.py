"""Streams behind their towers, and one stack over the sequence of all.

Source: Dou et al. 2022, METER, section 3.1 (merged attention).
"""

from collections.abc import Mapping

from torch import Tensor, nn

from renaissance.compiler.fusions.merged_attention.schema import MergedAttention
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.initialisation import initialise
from renaissance.compiler.model.joint import apart, joined
from renaissance.compiler.model.post_norm import PostNormLayer
from renaissance.compiler.model.projections import projections
from renaissance.compiler.model.tower import Stacked, TowerFacts
from renaissance.compiler.model.transformer import check_heads
from renaissance.compiler.model.type_embedding import TypeEmbedding


def build(
    fusion: MergedAttention,
    streams: Mapping[str, TowerFacts],
    *,
    address: str,
    stack: Stacked | None,
) -> "MergedLayers":
    """Return the fusion of streams of which so much is known."""
    return MergedLayers(fusion, streams, address)


class MergedLayers(nn.Module):
    """Projections to a common width, perhaps type embeddings, and layers over all tokens.

    Args:
        spec: its declaration.
        towers: what is known of each stream.
        address: its root address, for messages.
    """

    def __init__(
        self, spec: MergedAttention, towers: Mapping[str, TowerFacts], address: str
    ) -> None:
        super().__init__()
        check_heads(spec.width, spec.heads, address)
        self.inputs = spec.inputs
        self.widths = dict.fromkeys(spec.inputs, spec.width)
        self.projection = projections(spec, towers, spec.width)
        self.type_embedding = TypeEmbedding(spec.inputs if spec.type_embedding else (), spec.width)
        self.layers = nn.ModuleList(PostNormLayer(spec) for _ in range(spec.layers))
        initialise(self)

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Run streams whose rows correspond through the layers as one sequence.

        Args:
            features: each stream as its tower gives it, tokens `[rows, n, width of its tower]`.

        Returns:
            Each stream, tokens `[rows, n, width]`.
        """
        streams = self.embedded(features)
        joint = joined(streams)
        for layer in self.layers:
            joint = layer(joint)
        return apart(joint, streams)

    def embedded(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Bring streams to the common width, and tell their tokens from each other."""
        return {
            name: features[name].with_tokens(
                self.type_embedding(name, self._project(name, features[name].tokens))
            )
            for name in self.inputs
        }

    def _project(self, name: str, tokens: Tensor) -> Tensor:
        return self.projection[name](tokens) if name in self.projection else tokens
