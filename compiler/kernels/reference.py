"""What the kernels compute, written plainly.

Slow, differentiable, any floating dtype: the tests hold the kernels against it in float64.
"""

import torch
from torch import Tensor

from renaissance.compiler.kernels.dropout import keep_mask


def varlen_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_query: Tensor,
    cu_key: Tensor,
    max_query: int,
    max_key: int,
    *,
    scale: float | None = None,
    bias: Tensor | None = None,
    dropout: float = 0.0,
    seed: int | Tensor = 0,
) -> Tensor:
    """Attention of packed sequences, one sequence at a time.

    Arguments, result and conventions are those of
    `renaissance.compiler.kernels.varlen.varlen_attention`, except that every floating dtype on
    every device will do.
    """
    return _attention(
        query, key, value, cu_query, cu_key, scale=scale, bias=bias, dropout=dropout, seed=seed
    )


def coattention(
    query_a: Tensor,
    key_a: Tensor,
    value_a: Tensor,
    query_b: Tensor,
    key_b: Tensor,
    value_b: Tensor,
    cu_a: Tensor,
    cu_b: Tensor,
    max_a: int,
    max_b: int,
    *,
    scale: float | None = None,
    dropout: float = 0.0,
    seed: int | Tensor = 0,
) -> tuple[Tensor, Tensor]:
    """Let two streams attend to each other, one direction after the other.

    Arguments, result and conventions are those of
    `renaissance.compiler.kernels.pair.coattention`.
    """
    output_a = _attention(
        query_a, key_b, value_b, cu_a, cu_b, scale=scale, dropout=dropout, seed=seed
    )
    output_b = _attention(
        query_b,
        key_a,
        value_a,
        cu_b,
        cu_a,
        scale=scale,
        dropout=dropout,
        seed=seed,
        first_row=query_a.shape[0],
    )
    return output_a, output_b


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_query: Tensor,
    cu_key: Tensor,
    *,
    scale: float | None,
    dropout: float,
    seed: int | Tensor,
    bias: Tensor | None = None,
    first_row: int = 0,
) -> Tensor:
    """Attend sequence by sequence; `first_row` is the dropout row of the first query token."""
    heads, head_dim = query.shape[1:]
    scale = head_dim**-0.5 if scale is None else scale
    groups = bias if bias is None or bias.dim() == 4 else bias[None]
    query_bounds, key_bounds = cu_query.tolist(), cu_key.tolist()
    outputs = []
    for sequence in range(len(query_bounds) - 1):
        rows = slice(query_bounds[sequence], query_bounds[sequence + 1])
        columns = slice(key_bounds[sequence], key_bounds[sequence + 1])
        row_count, column_count = rows.stop - rows.start, columns.stop - columns.start
        scores = torch.einsum("qhd,khd->hqk", query[rows], key[columns]) * scale
        if groups is not None:
            shared = groups[sequence % len(groups)]
            scores = scores + shared[:, :row_count, :column_count].to(scores.dtype)
        weights = _softmax(scores)
        if dropout > 0.0:
            numbers = torch.arange(rows.start, rows.stop, device=query.device) + first_row
            kept = keep_mask(seed, numbers, heads, column_count, dropout)
            weights = weights * kept / (1.0 - dropout)
        outputs.append(torch.einsum("hqk,khd->qhd", weights, value[columns]))
    return torch.cat(outputs) if outputs else query * 0.0


def _softmax(scores: Tensor) -> Tensor:
    """Softmax over the keys; a row without a key, or with every key masked, is all zeros."""
    if scores.shape[-1] == 0:
        return scores
    peak = scores.detach().amax(dim=-1, keepdim=True)
    weights = torch.exp(scores - torch.where(torch.isneginf(peak), 0.0, peak))
    total = weights.sum(dim=-1, keepdim=True)
    return weights / torch.where(total == 0, 1.0, total)
