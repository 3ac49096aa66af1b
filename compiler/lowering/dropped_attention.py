"""Attention of rows to themselves with dropout, on a CPU, head by head.

torch has no fused attention with dropout on a CPU, and where scores are many its plain operations
go through memory again and again. Here scores become weights, and their gradients, where they
stand; gradients of queries, keys and values lie side by side, as the product that made all three
asks for them.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from renaissance.compiler.lowering.dropout import (
    drawn_here,
    drop_from,
    levels_dropped,
    scale_of,
)
from renaissance.compiler.standing import product_dtype

MANY_SCORES = 2**21
"""Scores of a stream from which on its heads are computed one after the other on a CPU: 8 MiB."""


def drops_by_heads(projected: Tensor, dropout: float) -> bool:
    """Return whether rows attend to themselves here, head by head; arguments as `attend_by_heads`.

    Where scores are few, all heads at once cost less, and in graphs that are compiled, transformed
    or traced plain operations run.
    """
    rows, length, _, heads, _ = projected.shape
    return (
        levels_dropped(dropout) > 0
        and drawn_here(projected)  # first: a compiled graph must not depend on lengths
        and heads > 1
        and rows * heads * length**2 >= MANY_SCORES
        and projected.dtype in (torch.float32, torch.float64)
        and projected.dtype == product_dtype(projected)
    )


def attend_by_heads(projected: Tensor, hidden: Tensor | None, dropout: float) -> Tensor:
    """Let the tokens of each row attend to each other.

    Args:
        projected: `[rows, n, 3, heads, head_dim]`, queries, keys and values; not autocast.
        hidden: `[rows, 1, n]`, what is added to the scores of each key; None for nothing.
        dropout: probability of dropping an attention weight, above 0.

    Returns:
        `[rows, n, heads, head_dim]`.

    Source: Vaswani et al. 2017, section 3.2.1.
    """
    return _ByHeads.apply(projected, hidden, levels_dropped(dropout))  # type: ignore[no-any-return]


class _ByHeads(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, projected: Tensor, hidden: Tensor | None, threshold: int) -> Tensor:
        ctx.factor = scale_of(threshold)
        found = torch.empty_like(projected[:, :, 0])
        kept: list[Tensor] = []
        for head, out in zip(projected.unbind(3), found.unbind(2), strict=True):
            query, key, value = head.unbind(2)  # [rows, n, head_dim]
            weights = _scores(query, key, hidden)
            torch.softmax(weights, -1, out=weights)
            dropped = drop_from(weights, threshold)
            out.copy_(torch.bmm(dropped, value))
            kept += (weights, dropped)
        ctx.save_for_backward(projected, hidden, *kept)
        return found

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        projected, hidden, *kept = ctx.saved_tensors
        if torch.is_grad_enabled():  # a gradient of this gradient is going to be asked for
            staying = [part.sign() * ctx.factor for part in kept[1::2]]
            found = _plainly(projected, hidden, staying)
            return *torch.autograd.grad(found, projected, gradient, create_graph=True), None, None
        found = torch.empty_like(projected)
        heads = zip(projected.unbind(3), found.unbind(3), gradient.unbind(2), strict=True)
        for (head, into, of_head), weights, dropped in zip(
            heads, kept[::2], kept[1::2], strict=True
        ):
            _write_gradients(into, head, of_head, weights, dropped, ctx.factor)
        return found, None, None


def _write_gradients(
    into: Tensor, head: Tensor, gradient: Tensor, weights: Tensor, dropped: Tensor, factor: float
) -> None:
    """Write the gradients of one head.

    Args:
        into: for them, `[rows, n, 3, head_dim]`.
        head: queries, keys and values, `[rows, n, 3, head_dim]`.
        gradient: of what the head found, `[rows, n, head_dim]`.
        weights: `[rows, n, n]`.
        dropped: the same, scaled up, some of them 0.
        factor: by which they are.
    """
    query, key, value = head.unbind(2)
    of_query, of_key, of_value = into.unbind(2)
    of_value.copy_(torch.bmm(dropped.mT, gradient))
    of_scores = _product(gradient, value.mT, factor)
    # What is dropped is 0, and a softmax hands on nothing to a weight that was 0 before.
    torch.ops.aten.threshold_backward.grad_input(of_scores, dropped, 0, grad_input=of_scores)
    torch.ops.aten._softmax_backward_data.out(
        of_scores, weights, -1, weights.dtype, grad_input=of_scores
    )
    scale = query.shape[-1] ** -0.5
    of_query.copy_(_product(of_scores, key, scale))
    of_key.copy_(_product(of_scores.mT, query, scale))


def _plainly(projected: Tensor, hidden: Tensor | None, staying: Sequence[Tensor]) -> Tensor:
    """Attend with a factor on each weight, by operations that can be differentiated twice."""
    found = []
    for head, factors in zip(projected.unbind(3), staying, strict=True):
        query, key, value = head.unbind(2)
        weights = _scores(query, key, hidden).softmax(-1)
        found.append(torch.bmm(weights * factors, value))
    return torch.stack(found, 2)


def _scores(query: Tensor, key: Tensor, hidden: Tensor | None) -> Tensor:
    """Return `[rows, n, n]`."""
    scale = query.shape[-1] ** -0.5
    if hidden is None:
        return _product(query, key.mT, scale)
    return torch.baddbmm(hidden, query, key.mT, alpha=scale)


def _product(one: Tensor, other: Tensor, factor: float) -> Tensor:
    """Multiply matrices and a number, in one go."""
    return torch.baddbmm(one.new_empty(1), one, other, beta=0, alpha=factor)
