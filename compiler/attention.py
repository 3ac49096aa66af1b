"""Attention of the project's own modules: one function, one choice of implementation."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from renaissance.compiler.errors import CompileError
from renaissance.grammar.schema.model import Attention

Implementation = Literal["sdpa", "eager"]


def choose(attention: Attention) -> Implementation:
    """Return the implementation that the project's own modules run.

    Raises:
        CompileError: if the one asked for is not available.
    """
    if attention == "triton":
        raise CompileError(
            "`attention = triton` is not available for this model; `auto` takes the fastest "
            "implementation that is"
        )
    return "eager" if attention == "eager" else "sdpa"


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    key_mask: Tensor | None = None,
    dropout: float = 0.0,
    implementation: Implementation = "sdpa",
) -> Tensor:
    """Let queries attend to keys, scaled by the root of the head dimension.

    Args:
        query: `[rows, heads, queries, head_dim]`.
        key: `[rows, heads, keys, head_dim]`, same dtype and device.
        value: `[rows, heads, keys, head_dim]`.
        key_mask: `[rows, keys]` bool, True where a key may be attended to; all of them if None.
        dropout: probability of dropping an attention weight, 0 outside training.
        implementation: `sdpa` is torch's fused one, `eager` plain tensor operations.

    Returns:
        `[rows, heads, queries, head_dim]`.

    Source: Vaswani et al. 2017, section 3.2.1.
    """
    mask = None if key_mask is None else key_mask[:, None, None, :]
    if implementation == "eager":
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32))
        return F.dropout(weights.to(value.dtype), dropout) @ value
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)


class MultiHeadAttention(nn.Module):
    """Attention in several heads with a projection in front of each part and one behind.

    Args:
        width: channels of queries, keys and output.
        heads: attention heads; divides `width`.
        dropout: probability of dropping an attention weight in training.
        implementation: of attention.
    """

    def __init__(
        self, width: int, heads: int, dropout: float, implementation: Implementation = "sdpa"
    ) -> None:
        super().__init__()
        self.implementation = implementation
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
            implementation=self.implementation,
        )
        return self.output(attended.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _split(self, tokens: Tensor) -> Tensor:
        rows, length, width = tokens.shape
        return tokens.view(rows, length, self.heads, width // self.heads).transpose(1, 2)
