"""Parts of post-norm layers, which the layers of fusions are made of.

Source: Vaswani et al. 2017, section 3.1.
"""

from typing import TypeAlias

from torch import Tensor, nn

from renaissance.compiler.model.attention import MultiHeadAttention
from renaissance.compiler.model.dropout import Dropout
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.transformer import FeedForward
from renaissance.grammar.kinds.fusion import FusionLayers
from renaissance.grammar.kinds.source import StackDimensions

NORM_EPS = 1e-12

Dimensions: TypeAlias = FusionLayers | StackDimensions
"""What says how wide a layer is."""


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
    """Attention to a context, added to the tokens and normalised.

    Args:
        spec: its dimensions.
        context_width: channels of the context; those of the tokens if None.
    """

    def __init__(self, spec: Dimensions, context_width: int | None = None) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(spec.width, spec.heads, spec.dropout, context_width)
        self.residual = Residual(spec.width, spec.dropout)

    def forward(self, stream: Features, context: Features) -> Features:
        """Map tokens `[rows, n, width]` to the same shape; the rows of the context correspond."""
        update = self.attention(stream, context)  # [rows, n, width]
        return stream.with_tokens(self.residual(update, stream.tokens))


class PostNormFeedForward(nn.Module):
    """Feed-forward part, added to the tokens and normalised."""

    def __init__(self, spec: Dimensions) -> None:
        super().__init__()
        self.mlp = FeedForward(spec.width, spec.mlp_ratio, spec.activation)
        self.residual = Residual(spec.width, spec.dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens `[..., width]` to the same shape."""
        return self.residual(self.mlp(tokens), tokens)  # type: ignore[no-any-return]


class PostNormLayer(nn.Module):
    """Self-attention, then feed-forward part."""

    def __init__(self, spec: Dimensions) -> None:
        super().__init__()
        self.attention = PostNormAttention(spec)
        self.mlp = PostNormFeedForward(spec)

    def forward(self, stream: Features) -> Features:
        """Map tokens `[rows, n, width]` to the same shape."""
        stream = self.attention(stream, stream)
        return stream.with_tokens(self.mlp(stream.tokens))


class PostNormCrossLayer(nn.Module):
    """Self-attention, attention to another stream if there is one, feed-forward part.

    Args:
        spec: its dimensions.
        context_width: channels of the other stream; those of the tokens if None.
    """

    def __init__(self, spec: FusionLayers, context_width: int | None = None) -> None:
        super().__init__()
        self.attention = PostNormAttention(spec)
        self.cross = PostNormAttention(spec, context_width)
        self.mlp = PostNormFeedForward(spec)

    def forward(self, stream: Features, context: Features | None = None) -> Features:
        """Map tokens `[rows, n, width]` to the same shape; context `[rows, m, context_width]`."""
        stream = self.crossed(self.attention(stream, stream), context)
        return stream.with_tokens(self.mlp(stream.tokens))

    def crossed(self, stream: Features, context: Features | None) -> Features:
        """Let tokens attend to the other stream; without one they stay as they are."""
        return stream if context is None else self.cross(stream, context)
