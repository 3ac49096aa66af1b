"""Attention of the project's own modules: one function, one choice of implementation."""

import torch.nn.functional as F
from torch import Tensor, nn


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    key_mask: Tensor | None = None,
    dropout: float = 0.0,
) -> Tensor:
    """Let queries attend to keys, scaled by the root of the head dimension.

    Args:
        query: `[rows, heads, queries, head_dim]`.
        key: `[rows, heads, keys, head_dim]`, same dtype and device.
        value: `[rows, heads, keys, head_dim]`.
        key_mask: `[rows, keys]` bool, True where a key may be attended to; all of them if None.
        dropout: probability of dropping an attention weight, 0 outside training.

    Returns:
        `[rows, heads, queries, head_dim]`.

    Source: Vaswani et al. 2017, section 3.2.1.
    """
    mask = None if key_mask is None else key_mask[:, None, None, :]
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)


class MultiHeadAttention(nn.Module):
    """Attention in several heads with a projection in front of each part and one behind.

    Args:
        width: channels of queries, keys and output.
        heads: attention heads; divides `width`.
        dropout: probability of dropping an attention weight in training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, tokens: Tensor, context: Tensor, context_mask: Tensor | None) -> Tensor:
        """Let tokens attend to a context.

        Args:
            tokens: what asks, `[rows, n, width]`.
            context: what answers, `[rows, m, width]`.
            context_mask: `[rows, m]` bool, True where a token may be attended to.

        Returns:
            `[rows, n, width]`.
        """
        attended = attention(
            self._split(self.query(tokens)),
            self._split(self.key(context)),
            self._split(self.value(context)),
            key_mask=context_mask,
            dropout=self.dropout if self.training else 0.0,
        )
        return self.output(attended.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _split(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)
