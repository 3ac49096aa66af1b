"""One stream attends to itself and to the other, which stays as its tower gives it.

Source: Li et al. 2021, ALBEF, section 3.1; Li et al. 2022, BLIP, section 3.1 (unimodal and
image-grounded text encoder, which share all but the attention to the image).
"""

from collections.abc import Mapping

from torch import nn

from renaissance.compiler.fusions.asymmetric.schema import Asymmetric
from renaissance.compiler.model.features import Features, Queries
from renaissance.compiler.model.initialisation import initialise
from renaissance.compiler.model.post_norm import PostNormCrossLayer
from renaissance.compiler.model.tower import Stacked, TowerFacts
from renaissance.compiler.model.transformer import check_heads


def build(
    fusion: Asymmetric,
    streams: Mapping[str, TowerFacts],
    *,
    address: str,
    stack: Stacked | None,
) -> "AsymmetricLayers":
    """Return the fusion of streams of which so much is known."""
    return AsymmetricLayers(fusion, streams, address)


def load(fusion: Asymmetric, layers: "AsymmetricLayers", address: str) -> None:
    """Let its layers start from the last ones of the encoder that the fusion names.

    Raises:
        BackboneError: if it cannot be had, or has other layers.
    """
    from renaissance.compiler.fusions.asymmetric.last_layers import load_last_layers

    assert fusion.weights is not None  # the caller asks for them
    load_last_layers(layers, fusion, fusion.weights, address)


class AsymmetricLayers(nn.Module):
    """A projection where widths differ, and layers of the stream that attends.

    Args:
        spec: its declaration.
        towers: what is known of each stream.
        address: its root address, for messages.
    """

    def __init__(self, spec: Asymmetric, towers: Mapping[str, TowerFacts], address: str) -> None:
        super().__init__()
        check_heads(spec.width, spec.heads, address)
        self.asking, self.answering = spec.inputs
        self.unimodal = spec.unimodal
        own, other = (towers[name].width for name in spec.inputs)
        self.widths = {self.asking: spec.width, self.answering: other}
        self.projection = nn.ModuleDict(
            {} if own == spec.width else {self.asking: nn.Linear(own, spec.width)}
        )
        self.layers = nn.ModuleList(PostNormCrossLayer(spec, other) for _ in range(spec.layers))
        initialise(self)

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Fuse streams whose rows correspond.

        Args:
            features: each stream as its tower gives it, tokens `[rows, n, width of its tower]`.

        Returns:
            The stream that attends, tokens `[rows, n, width]`, and the other as it came.
        """
        stream, context = self.projected(features[self.asking]), features[self.answering]
        for layer in self.layers:
            stream = layer(stream, context)
        return {self.asking: stream, self.answering: context}

    def encodes(self, stream: str) -> bool:
        """Tell whether the layers encode a stream by itself too."""
        return self.unimodal and stream == self.asking

    def alone(self, stream: str, features: Features, queries: Queries) -> Features:
        """Encode a stream without the other one.

        Args:
            stream: the one that attends.
            features: as its tower gives it, tokens `[rows, n, width of its tower]`.
            queries: which of its tokens are read.
        """
        found = self.projected(features)
        for layer in self.layers:
            found = layer(found)
        return found.read(queries)

    def joining(self, stream: str) -> dict[str, nn.Module]:
        """Return the parts, by address, that serve a stream only where it is joined."""
        return {f"layers[{index}].cross": layer.cross for index, layer in enumerate(self.layers)}  # type: ignore[misc]

    def serving(self, stream: str) -> dict[str, nn.Module]:
        """Return the parts, by address, without which the other stream comes out the same."""
        if stream == self.answering:
            return {}
        projection = {f"projection.{name}": part for name, part in self.projection.items()}
        layers = {f"layers[{index}]": layer for index, layer in enumerate(self.layers)}
        return projection | layers

    def reached(self, stream: str) -> frozenset[str]:
        """Return the streams that a stream depends on behind the fusion."""
        return frozenset({stream, self.answering})

    def projected(self, stream: Features) -> Features:
        """Bring the stream that attends to the width of the layers."""
        if self.asking not in self.projection:
            return stream
        return stream.with_tokens(self.projection[self.asking](stream.tokens))
