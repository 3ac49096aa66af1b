"""Two streams joined by co-attention layers. Source: Tan & Bansal 2019, LXMERT, section 3.1."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from renaissance.compiler.attention import Implementation, MultiHeadAttention, choose
from renaissance.compiler.backbones.tower import TowerFacts
from renaissance.compiler.features import Features, Queries, consecutive
from renaissance.compiler.fusion.type_embedding import TypeEmbedding
from renaissance.compiler.initialisation import initialise
from renaissance.compiler.transformer import FeedForward, check_heads
from renaissance.grammar.schema.model import Attention, CrossAttention

NORM_EPS = 1e-12


class Residual(nn.Module):
    """What stands behind every part of a post-norm layer: dropout, sum, norm."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)

    def forward(self, update: Tensor, tokens: Tensor) -> Tensor:
        """Add an update `[rows, n, width]` to tokens of the same shape."""
        return self.norm(self.dropout(update) + tokens)  # type: ignore[no-any-return]


class PostNormAttention(nn.Module):
    """Attention to a context, added to the tokens and normalised."""

    def __init__(self, spec: CrossAttention, implementation: Implementation) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(spec.width, spec.heads, spec.dropout, implementation)
        self.residual = Residual(spec.width, spec.dropout)

    def forward(self, tokens: Tensor, context: Tensor, context_mask: Tensor | None) -> Tensor:
        """Map tokens `[rows, n, width]` to the same shape; the context is `[rows, m, width]`."""
        return self.residual(self.attention(tokens, context, context_mask), tokens)  # type: ignore[no-any-return]


class PostNormFeedForward(nn.Module):
    """Feed-forward part, added to the tokens and normalised."""

    def __init__(self, spec: CrossAttention) -> None:
        super().__init__()
        self.mlp = FeedForward(spec.width, spec.mlp_ratio, spec.activation)
        self.residual = Residual(spec.width, spec.dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens `[rows, n, width]` to the same shape."""
        return self.residual(self.mlp(tokens), tokens)  # type: ignore[no-any-return]


class StreamLayer(nn.Module):
    """What a layer does to one stream alone: self-attention, then feed-forward."""

    def __init__(self, spec: CrossAttention, implementation: Implementation) -> None:
        super().__init__()
        self.attention = PostNormAttention(spec, implementation)
        self.mlp = PostNormFeedForward(spec)

    def forward(self, stream: Features, queries: Queries) -> Features:
        """Map a stream `[rows, n, width]` to those of its tokens that are read."""
        if isinstance(queries, Tensor):
            attended = self.attention(stream.tokens, stream.tokens, stream.mask)
            read = Features(tokens=attended, mask=stream.mask).read(queries)
        else:
            read = stream.read(queries)
            attended = self.attention(read.tokens, stream.tokens, stream.mask)
            read = Features(tokens=attended, mask=read.mask)
        return Features(tokens=self.mlp(read.tokens), mask=read.mask)


class CoAttentionLayer(nn.Module):
    """Each stream attends to the other with the same weights, then to itself with its own."""

    def __init__(self, spec: CrossAttention, implementation: Implementation) -> None:
        super().__init__()
        self.inputs = spec.inputs
        self.cross = PostNormAttention(spec, implementation)
        self.streams = nn.ModuleDict(
            {name: StreamLayer(spec, implementation) for name in spec.inputs}
        )

    def forward(
        self, features: Mapping[str, Features], queries: Mapping[str, Queries] | None = None
    ) -> dict[str, Features]:
        """Map both streams, `[rows, n, width]` and `[rows, m, width]`, to what is read of them.

        Args:
            features: both streams.
            queries: what is read of which streams; everything if None.
        """
        if queries is None:
            queries = dict.fromkeys(self.inputs, "all")
        first, second = self.inputs
        other = {first: features[second], second: features[first]}
        fused = {}
        for name, wanted in queries.items():
            context = other[name]
            crossed = self.cross(features[name].tokens, context.tokens, context.mask)
            stream = Features(tokens=crossed, mask=features[name].mask)
            fused[name] = self.streams[name](stream, wanted)
        return fused


class CoAttention(nn.Module):
    """Projections to a common width, type embeddings and co-attention layers."""

    def __init__(
        self,
        spec: CrossAttention,
        towers: Mapping[str, TowerFacts],
        address: str,
        attention: Attention,
    ) -> None:
        super().__init__()
        check_heads(spec.width, spec.heads, address)
        implementation = choose(attention)
        self.attention = implementation
        self.inputs = spec.inputs
        self.widths = dict.fromkeys(spec.inputs, spec.width)
        self.projection = nn.ModuleDict(
            {name: nn.Linear(towers[name].width, spec.width) for name in spec.inputs}
        )
        self.type_embedding = TypeEmbedding(spec.inputs, spec.width)
        self.layers = nn.ModuleList(
            CoAttentionLayer(spec, implementation) for _ in range(spec.layers)
        )
        initialise(self)

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Fuse streams whose rows correspond.

        Args:
            features: each stream as its tower gives it, `[rows, n, tower width]`.

        Returns:
            Each stream as `[rows, n, width]`.
        """
        return self.layers[-1](self._before_last(features))  # type: ignore[no-any-return]

    def read(
        self,
        features: Mapping[str, Features],
        readings: Sequence[tuple[int, Mapping[str, Queries]]],
    ) -> list[dict[str, Features]]:
        """Fuse, and compute in the last layer only what is read.

        Args:
            features: as `forward` takes them.
            readings: how many consecutive rows, and what is read of which streams; together they
                cover all rows.

        Returns:
            For each reading, the streams that it names, as `Features.read` gives them.
        """
        rows = consecutive(self._before_last(features), readings)
        return [self.layers[-1](part, queries) for part, queries in rows]

    def _before_last(self, features: Mapping[str, Features]) -> dict[str, Features]:
        fused = {
            name: Features(
                tokens=self.type_embedding(name, self.projection[name](features[name].tokens)),
                mask=features[name].mask,
            )
            for name in self.inputs
        }
        for layer in self.layers[:-1]:
            fused = layer(fused)
        return fused
