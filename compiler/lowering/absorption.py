"""Attention between a short and a long stream, with the long one's projections absorbed.

Attention is a chain of matrix products, and a chain may be multiplied in any order. Where few
tokens meet many, the matrices that would map every one of the many are multiplied with the few
instead: `(X W) kᵀ = X (W kᵀ)` for scores, `(A X) W = A (X W)` for values. The result is the same to
rounding; the products over all of the long stream are gone.

Source: DeepSeek-AI 2024, DeepSeek-V2, section 2.1.2, which absorbs two projections in this way.
"""

import torch
from torch import Tensor, nn

from renaissance.compiler.lowering.dropout import drop_weights
from renaissance.compiler.model.features import Features
from renaissance.compiler.standing import device_type, traced

MINIMAL_GAIN = 1.5
"""How many times fewer operations there must be: products with few columns run at a lower rate."""


def absorbs(few: Features, many: Features, heads: int, width: int) -> bool:
    """Return whether the projections of `many` are absorbed into `few`.

    They are on a CPU, where no kernel of the project runs, if the long stream has no padding and
    the products become so much cheaper.

    Args:
        few: tokens in any form.
        many: tokens in rows that correspond, and of a width of their own.
        heads: of the attention.
        width: of all heads together.
    """
    # What is exported or traced serves other lengths too: it must not choose by those at hand.
    if device_type(many.tokens) != "cpu" or torch.compiler.is_exporting() or traced():
        return False
    if many.mask is not None or many.ragged:
        return False
    own, short, long = many.tokens.shape[-1], few.longest, many.longest
    in_order = width * (long * own + short * long)
    absorbed = own * (short * width + heads * short * long)
    return in_order > MINIMAL_GAIN * absorbed


def attend_to_many(
    query: Features, many: Features, key: nn.Linear, value: nn.Linear, dropout: float
) -> Tensor:
    """Let a few tokens attend to many.

    Args:
        query: projected tokens `[..., heads, head_dim]` in any form.
        many: tokens of `width`, no padding.
        key: the projection of keys, absorbed.
        value: the projection of values, absorbed.
        dropout: probability of dropping an attention weight.

    Returns:
        Tokens `[..., heads, head_dim]` in the form of the queries.
    """
    heads, head_dim = query.tokens.shape[-2:]
    context = many.padded().tokens
    scores = _scores(query, context, key)
    weights = drop_weights(_softmax(scores, 1), dropout)
    found = torch.bmm(weights.flatten(2).mT, context)
    sums = query.from_padded(found.view(len(found), *weights.shape[2:], -1))
    weight = value.weight.view(heads, head_dim, -1)
    attended = torch.einsum("...hw,hdw->...hd", sums, weight)
    # What is dropped is missing from the sum of the weights too, and with it from the bias.
    total = query.from_padded(weights.sum(1))
    return attended + total[..., None] * value.bias.view(heads, head_dim)


def attend_to_few(
    many: Features,
    key: Features,
    value: Features,
    query: nn.Linear,
    output: nn.Linear,
    dropout: float,
) -> Tensor:
    """Let many tokens attend to a few, and join the heads.

    Args:
        many: tokens of `width`, no padding.
        key: projected tokens `[..., heads, head_dim]` in any form.
        value: in the form of the keys.
        query: the projection of queries, absorbed.
        output: the projection behind the heads, absorbed.
        dropout: probability of dropping an attention weight.

    Returns:
        Tokens of `width` in the form of `many`.
    """
    heads, head_dim = value.tokens.shape[-2:]
    weight = output.weight.view(-1, heads, head_dim)
    values = value.with_tokens(torch.einsum("...hd,whd->...hw", value.tokens, weight)).padded()
    scores = _scores(key, many.padded().tokens, query)
    if values.mask is not None:
        unseen = ~values.mask[:, None, :, None]
        scores = scores.masked_fill(unseen, torch.finfo(scores.dtype).min)
    weights = drop_weights(_softmax(scores, 2), dropout)
    added = torch.baddbmm(output.bias, weights.flatten(2), values.tokens.flatten(1, 2))
    return many.from_padded(added)


def _scores(few: Features, many: Tensor, projection: nn.Linear) -> Tensor:
    """Return scores `[rows, many, few, heads]` of projected tokens and tokens to project.

    In this order the gradient of the many comes as they are, token after token.
    """
    heads, head_dim = few.tokens.shape[-2:]
    scaled = few.tokens * head_dim**-0.5
    weight = projection.weight.view(heads, head_dim, -1)
    probes = few.with_tokens(torch.einsum("...hd,hdw->...hw", scaled, weight)).padded().tokens
    shifts = few.with_tokens((scaled * projection.bias.view(heads, head_dim)).sum(-1))
    scores = torch.baddbmm(
        shifts.padded().tokens.flatten(1, 2)[:, None], many, probes.flatten(1, 2).mT
    )
    return scores.view(*scores.shape[:2], *probes.shape[1:3])


def _softmax(scores: Tensor, dim: int) -> Tensor:
    weights = scores.softmax(dim, dtype=torch.promote_types(scores.dtype, torch.float32))
    return weights.to(scores.dtype)
