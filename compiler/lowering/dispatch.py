"""Attention of rows of any lengths: the choice of an implementation, and one function for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from renaissance.compiler.errors import CompileError
from renaissance.compiler.kernels import supported, supported_anywhere, varlen_attention
from renaissance.compiler.lowering.dropout import drop_weights
from renaissance.compiler.lowering.dropped_attention import MANY_SCORES
from renaissance.compiler.model.features import Features
from renaissance.compiler.standing import device_type, differentiates_forward, product_dtype
from renaissance.grammar.schema.model import Attention

Implementation = Literal["triton", "sdpa", "eager"]

PRODUCTS: Mapping[str, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
"""Type of the products of a forward pass, by a job's precision."""

COMMON_HEAD_DIM = 64
"""Width of a head that stands for any, where no model says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which implementation runs, and why: a phrase for a person to read."""

    implementation: Implementation
    reason: str


def choose(
    attention: Attention,
    *,
    device: torch.device,
    dtype: torch.dtype,
    head_dim: int,
    ragged: bool,
) -> Choice:
    """Choose an implementation for queries, keys and values.

    `auto` takes the project's kernels on a GPU where rows differ in length, and torch's fused
    attention everywhere else. On torch's meta device, where shapes are all there is, nothing else
    runs.

    Args:
        attention: what the spec asks for.
        device: where they are.
        dtype: of the products.
        head_dim: width of a head.
        ragged: whether rows differ in length, or two streams attend to each other.

    Raises:
        CompileError: if the kernels are asked for and cannot run.
    """
    if attention in ("sdpa", "eager"):
        return Choice(implementation=attention, reason="asked for")
    if device.type == "meta":
        return Choice(implementation="sdpa", reason="shapes alone")
    if attention == "triton":
        refusal = _refusal(device, dtype, head_dim)
        if refusal is None:
            return Choice(implementation="triton", reason="asked for")
        raise CompileError(
            f"`attention = triton`: {refusal}; `attention = auto` takes what there is"
        )
    if device.type != "cuda":
        return Choice(implementation="sdpa", reason="no GPU")
    choice = choose_on_gpu(dtype, head_dim, ragged=ragged)
    if choice.implementation == "triton":
        refusal = _refusal(device, dtype, head_dim)
        if refusal is not None:
            return Choice(implementation="sdpa", reason=refusal)
    return choice


def choose_on_gpu(dtype: torch.dtype, head_dim: int, *, ragged: bool) -> Choice:
    """Choose what `auto` takes on a GPU that runs the kernels; arguments as in `choose`."""
    if not ragged:
        return Choice(implementation="sdpa", reason="rows of one length")
    if dtype == torch.float32:
        return Choice(implementation="sdpa", reason="exact float32 products use no tensor cores")
    refusal = supported_anywhere(dtype, head_dim)
    if refusal is not None:
        return Choice(implementation="sdpa", reason=refusal)
    return Choice(implementation="triton", reason="ragged rows")


def check_device(attention: Attention, device: torch.device, dtype: torch.dtype) -> None:
    """Refuse the kernels where they are asked for and cannot run, whatever the model.

    Args:
        attention: what the spec asks for.
        device: where the model is going to be.
        dtype: of the products.

    Raises:
        CompileError: with the reason.
    """
    choose(attention, device=device, dtype=dtype, head_dim=COMMON_HEAD_DIM, ragged=True)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _refusal(device: torch.device, dtype: torch.dtype, head_dim: int) -> str | None:
    return supported(device, dtype, head_dim)


def attend(
    query: Features,
    key: Features,
    value: Features,
    *,
    attention: Attention,
    bias: Tensor | None = None,
    scale: float | None = None,
    dropout: float = 0.0,
) -> Tensor:
    """Let each token of a stream attend to the tokens of the same row of a context.

    Args:
        query: tokens `[..., heads, head_dim]` in any form.
        key: of as many rows, in any form.
        value: in the form of the keys.
        attention: what the spec asks for.
        bias: added to the scores of rows of one length, `[rows, heads, queries, keys]` or one for
            all of them, `[1, heads, queries, keys]`.
        scale: factor on the scores; the root of `1 / head_dim` if None.
        dropout: probability of dropping an attention weight, 0 outside training.

    Returns:
        Tokens `[..., heads, head_dim]` in the form of the queries.
    """
    implementation = implementation_for(query, key, attention)
    if implementation == "triton":
        asking, asked = query.packed(), key.packed()
        assert asking.packing is not None and asked.packing is not None  # as packed
        flat = varlen_attention(
            asking.tokens,
            asked.tokens,
            value.packed().tokens,
            asking.packing.cumulative,
            asked.packing.cumulative,
            asking.packing.longest,
            asked.packing.longest,
            scale=scale,
            bias=bias,
            dropout=dropout,
            seed=draw_seed(asking.tokens.device) if dropout > 0.0 else 0,
        )
        return query.from_packed(flat)
    keys = key.padded()
    rows = dense_attention(
        query.padded().tokens.transpose(1, 2),
        keys.tokens.transpose(1, 2),
        value.padded().tokens.transpose(1, 2),
        key_mask=keys.mask,
        bias=bias,
        scale=scale,
        dropout=dropout,
        implementation=implementation,
    )
    return query.from_padded(rows.transpose(1, 2))


def implementation_for(query: Features, key: Features, attention: Attention) -> Implementation:
    """Choose the implementation where queries and keys are; tokens are `[..., head_dim]`."""
    return choose(
        attention,
        device=query.tokens.device,
        dtype=query.tokens.dtype,
        head_dim=query.tokens.shape[-1],
        # Rows of one length lie in packed memory as torch's fused attention reads them.
        ragged=any(stream.ragged for stream in (query, key)),
    ).implementation


def dense_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    key_mask: Tensor | None = None,
    bias: Tensor | None = None,
    scale: float | None = None,
    dropout: float = 0.0,
    implementation: Literal["sdpa", "eager"] = "sdpa",
) -> Tensor:
    """Let queries attend to keys in rows of one length.

    Args:
        query: `[rows, heads, queries, head_dim]`.
        key: `[rows, heads, keys, head_dim]`, same dtype and device.
        value: `[rows, heads, keys, head_dim]`.
        key_mask: `[rows, keys]` bool, True where a key may be attended to; all of them if None.
        bias: added to the scores, broadcast to `[rows, heads, queries, keys]`.
        scale: factor on the scores; the root of `1 / head_dim` if None.
        dropout: probability of dropping an attention weight, 0 outside training.
        implementation: `sdpa` is torch's fused one, `eager` plain tensor operations.

    Returns:
        `[rows, heads, queries, head_dim]`.

    Source: Vaswani et al. 2017, section 3.2.1.
    """
    mask = None if key_mask is None else key_mask[:, None, None, :]
    # With dropout torch has no fused attention on a CPU either, and draws masks slowly; and it has
    # no derivative of its fused attention in forward mode.
    drawn = dropout > 0.0 and device_type(query) == "cpu"
    if implementation == "eager" or drawn or differentiates_forward():
        return _eager_attention(query, key, value, mask, bias, scale, dropout)
    if bias is not None and mask is not None:
        bias = bias.to(query.dtype)
        mask = bias.masked_fill(~mask, torch.finfo(bias.dtype).min)
    elif bias is not None:
        mask = bias.to(query.dtype)
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, dropout_p=dropout, scale=scale
    )


def _eager_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    bias: Tensor | None,
    scale: float | None,
    dropout: float,
) -> Tensor:
    """Attend by plain operations; a mask is `[rows, 1, 1, keys]`, the rest as in `dense_attention`.

    Where scores are many, a CPU computes one head after the other: the scores of one stay in the
    caches, and no head is put in order in memory, because its products read it where it is.
    """
    rows, heads, queries, _ = query.shape
    many = rows * heads * queries * key.shape[2] >= MANY_SCORES
    if many and heads > 1 and bias is None and device_type(query) == "cpu":
        each = zip(*(torch.split(part, 1, 1) for part in (query, key, value)), strict=True)
        attended = [_eager_attention(q, k, v, mask, None, scale, dropout) for q, k, v in each]
        return torch.cat([part.transpose(1, 2) for part in attended], 2).transpose(1, 2)
    hidden = None
    if mask is not None and bias is None:
        added = hidden_scores(mask[:, 0], product_dtype(query))  # [rows, 1, keys]
        hidden = added[:, None].expand(-1, heads, -1, -1).flatten(0, 1)
    # As products of three dimensions nothing is transposed in memory, and what may not be attended
    # to is hidden where they are written.
    products = torch.baddbmm(
        query.new_empty(1) if hidden is None else hidden,
        query.flatten(0, 1),
        key.flatten(0, 1).mT,
        beta=0 if hidden is None else 1,
        alpha=query.shape[-1] ** -0.5 if scale is None else scale,
    )
    scores = products.view(rows, heads, *products.shape[1:])
    if bias is not None:
        scores = scores + bias
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32))
    dropped = drop_weights(weights.to(value.dtype), dropout)
    sums = torch.bmm(dropped.flatten(0, 1), value.flatten(0, 1))
    return sums.view(rows, heads, queries, value.shape[-1])


def hidden_scores(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what scores are added to, of a mask of keys: 0 where one may be attended to.

    Elsewhere it is half of the least number, so that no sum with a score overflows.
    """
    added = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return added.masked_fill(~mask, torch.finfo(dtype).min / 2)


def draw_seed(device: torch.device) -> int | Tensor:
    """Draw what one dropout mask follows from, out of torch's generators.

    A number of the CPU's generator goes to a kernel by value: nothing is launched for it. What
    checkpoints activations or resumes restores this generator with the device's own. A graph that
    is compiled, or captured to be replayed, draws on the device, int64 `[1]`: anew each time.
    """
    if torch.compiler.is_compiling() or _captured(device):
        return torch.randint(2**62, (1,), device=device)
    return int(torch.randint(2**62, ()))


def _captured(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()
