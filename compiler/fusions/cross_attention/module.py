"""Two streams joined by co-attention layers. Source: Tan & Bansal 2019, LXMERT, section 3.1."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from renaissance.compiler.backbones.tower import Stacked, TowerFacts
from renaissance.compiler.features import Features, Part, Queries, consecutive
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.lowering.attention import choose
from renaissance.compiler.lowering.dropout import Dropout
from renaissance.compiler.model.initialisation import initialise
from renaissance.compiler.model.multi_head import MultiHeadAttention
from renaissance.compiler.model.transformer import FeedForward, check_heads
from renaissance.compiler.model.type_embedding import TypeEmbedding
from renaissance.compiler.standing import product_dtype
from renaissance.grammar.schema.model import Attention

NORM_EPS = 1e-12


def build(
    fusion: CrossAttention,
    streams: Mapping[str, TowerFacts],
    *,
    address: str,
    attention: Attention,
    stack: Stacked | None,
) -> "CoAttention":
    """Return the fusion of streams of which so much is known."""
    return CoAttention(fusion, streams, address, attention)


class Residual(nn.Module):
    """What stands behind every part of a post-norm layer: dropout, sum, norm."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)

    def forward(self, update: Tensor, tokens: Tensor) -> Tensor:
        """Add an update `[..., width]` to tokens of the same shape."""
        return self.norm(self.dropout.add(update, tokens))  # type: ignore[no-any-return]


class PostNormAttention(nn.Module):
    """Attention to a context, added to the tokens and normalised."""

    def __init__(self, spec: CrossAttention, attention: Attention) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(spec.width, spec.heads, spec.dropout, attention)
        self.residual = Residual(spec.width, spec.dropout)

    def forward(self, stream: Features, context: Features) -> Features:
        """Map tokens of `width` to the same form; the rows of the context correspond."""
        update = self.attention(stream, context)
        return stream.with_tokens(self.residual(update, stream.tokens))

    def both(self, first: Features, second: Features) -> tuple[Features, Features]:
        """Let two streams attend to each other, with the same weights."""
        one, other = self.attention.both(first, second)
        return (
            first.with_tokens(self.residual(one, first.tokens)),
            second.with_tokens(self.residual(other, second.tokens)),
        )


class PostNormFeedForward(nn.Module):
    """Feed-forward part, added to the tokens and normalised."""

    def __init__(self, spec: CrossAttention) -> None:
        super().__init__()
        self.mlp = FeedForward(spec.width, spec.mlp_ratio, spec.activation)
        self.residual = Residual(spec.width, spec.dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens `[..., width]` to the same shape."""
        return self.residual(self.mlp(tokens), tokens)  # type: ignore[no-any-return]


class StreamLayer(nn.Module):
    """What a layer does to one stream alone: self-attention, then feed-forward."""

    def __init__(self, spec: CrossAttention, attention: Attention) -> None:
        super().__init__()
        self.attention = PostNormAttention(spec, attention)
        self.mlp = PostNormFeedForward(spec)

    def forward(self, stream: Features, queries: Queries) -> Features:
        """Map a stream to those of its tokens that are read."""
        if isinstance(queries, Tensor):
            read: Features = self.attention(stream, stream).read(queries)
        else:
            read = self.attention(stream.read(queries), stream)
        return read.with_tokens(self.mlp(read.tokens))


class CoAttentionLayer(nn.Module):
    """Each stream attends to the other with the same weights, then to itself with its own."""

    def __init__(self, spec: CrossAttention, attention: Attention) -> None:
        super().__init__()
        self.inputs = spec.inputs
        self.cross = PostNormAttention(spec, attention)
        self.streams = nn.ModuleDict({name: StreamLayer(spec, attention) for name in spec.inputs})

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
        self.attention = attention
        self.head_dim = spec.width // spec.heads
        self.inputs = spec.inputs
        self.widths = dict.fromkeys(spec.inputs, spec.width)
        self.projection = nn.ModuleDict(
            {name: nn.Linear(towers[name].width, spec.width) for name in spec.inputs}
        )
        self.type_embedding = TypeEmbedding(spec.inputs, spec.width)
        self.layers = nn.ModuleList(CoAttentionLayer(spec, attention) for _ in range(spec.layers))
        initialise(self)

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Fuse streams whose rows correspond.

        Args:
            features: each stream as its tower gives it, tokens of the tower's width.

        Returns:
            Each stream in the form that it has, tokens of `width`.
        """
        return self.layers[-1](self._before_last(features))  # type: ignore[no-any-return]

    def read(
        self,
        features: Mapping[str, Features],
        parts: Sequence[Part],
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
            name: stream.with_tokens(
                self.type_embedding(name, self.projection[name](stream.tokens))
            )
            for name, stream in self._in_one_form(features).items()
        }
        for layer in self.layers[:-1]:
            fused = layer(fused)
        return fused

    def _in_one_form(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Pack both streams where the kernels run, once for all layers."""
        streams = {name: features[name] for name in self.inputs}
        one = next(iter(streams.values())).tokens
        chosen = choose(
            self.attention,
            device=one.device,
            dtype=product_dtype(one),
            head_dim=self.head_dim,
            ragged=any(stream.ragged for stream in streams.values()),
        )
        if chosen.implementation != "triton":
            return streams
        return {name: stream.packed() for name, stream in streams.items()}
