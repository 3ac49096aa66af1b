"""Two streams joined by co-attention layers. Source: Tan & Bansal 2019, LXMERT, section 3.1."""

from collections.abc import Mapping

from torch import Tensor, nn

from renaissance.compiler.attention import Implementation, MultiHeadAttention, choose
from renaissance.compiler.backbones.tower import TowerFacts
from renaissance.compiler.features import Features
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

    def forward(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """Map tokens `[rows, n, width]` to the same shape."""
        return self.mlp(self.attention(tokens, tokens, mask))  # type: ignore[no-any-return]


class CoAttentionLayer(nn.Module):
    """Each stream attends to the other with the same weights, then to itself with its own."""

    def __init__(self, spec: CrossAttention, implementation: Implementation) -> None:
        super().__init__()
        self.inputs = spec.inputs
        self.cross = PostNormAttention(spec, implementation)
        self.streams = nn.ModuleDict(
            {name: StreamLayer(spec, implementation) for name in spec.inputs}
        )

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Map both streams, `[rows, n, width]` and `[rows, m, width]`, to the same shapes."""
        first, second = (features[name] for name in self.inputs)
        crossed = {
            self.inputs[0]: self.cross(first.tokens, second.tokens, second.mask),
            self.inputs[1]: self.cross(second.tokens, first.tokens, first.mask),
        }
        return {
            name: Features(
                tokens=self.streams[name](tokens, features[name].mask), mask=features[name].mask
            )
            for name, tokens in crossed.items()
        }


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
        fused = {
            name: Features(
                tokens=self.type_embedding(name, self.projection[name](features[name].tokens)),
                mask=features[name].mask,
            )
            for name in self.inputs
        }
        for layer in self.layers:
            fused = layer(fused)
        return fused
