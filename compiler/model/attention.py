"""Multi-head attention of one stream to another. Source: Vaswani et al. 2017, section 3.2."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from renaissance.compiler.model.features import Features


def attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, dropout: float = 0.0
) -> Tensor:
    """Let queries attend to keys, and sum the values of these.

    Args:
        query: `[rows, heads, queries, head_dim]`.
        key: `[rows, heads, keys, head_dim]`, same dtype and device.
        value: `[rows, heads, keys, head_dim]`.
        mask: `[rows, keys]` bool, True where a key may be attended to; all of them if None.
        dropout: probability of dropping an attention weight, 0 outside training.

    Returns:
        `[rows, heads, queries, head_dim]`; the softmax runs in float32 or wider.
    """
    scores = query @ key.mT * query.shape[-1] ** -0.5  # [rows, heads, queries, keys]
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32))
    return F.dropout(weights.to(value.dtype), dropout) @ value  # [rows, heads, queries, head_dim]


class MultiHeadAttention(nn.Module):
    """Attention in several heads with a projection in front of each part and one behind.

    Args:
        width: channels of queries, keys and output.
        heads: attention heads; divides `width`.
        dropout: probability of dropping an attention weight in training.
        context_width: channels of keys and values before their projections; `width` if None.
    """

    def __init__(
        self, width: int, heads: int, dropout: float, context_width: int | None = None
    ) -> None:
        super().__init__()
        self.heads = heads
        self.head_dim = width // heads
        self.dropout = dropout
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(context_width or width, width)
        self.value = nn.Linear(context_width or width, width)
        self.output = nn.Linear(width, width)

    def forward(self, stream: Features, context: Features) -> Tensor:
        """Let a stream attend to a context whose rows correspond.

        Args:
            stream: what asks, tokens `[rows, n, width]`.
            context: what answers, tokens `[rows, m, context_width]`; padding is attended to by
                nobody.

        Returns:
            `[rows, n, width]`.
        """
        query = self._in_heads(self.query(stream.tokens))  # [rows, heads, n, head_dim]
        key = self._in_heads(self.key(context.tokens))  # [rows, heads, m, head_dim]
        value = self._in_heads(self.value(context.tokens))  # [rows, heads, m, head_dim]
        found = attention(query, key, value, context.mask, self.dropout if self.training else 0.0)
        joined = found.transpose(1, 2).flatten(2)  # [rows, n, width]
        return self.output(joined)  # type: ignore[no-any-return]

    def _in_heads(self, tokens: Tensor) -> Tensor:
        return tokens.reshape(*tokens.shape[:2], self.heads, self.head_dim).transpose(1, 2)
