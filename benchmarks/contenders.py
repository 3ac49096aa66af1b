"""Everything that computes attention in PyTorch, as jobs that a benchmark can time."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import dropout as drop
from torch.nn.functional import scaled_dot_product_attention

from benchmarks.attention_shapes import Shape
from renaissance.compiler.kernels import coattention, varlen_attention

OURS = "triton"
BACKENDS = {
    "sdpa flash": SDPBackend.FLASH_ATTENTION,
    "sdpa efficient": SDPBackend.EFFICIENT_ATTENTION,
    "sdpa cudnn": SDPBackend.CUDNN_ATTENTION,
    "sdpa math": SDPBackend.MATH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One packed stream: its tensors `[tokens, heads, head_dim]`, lengths and places."""

    query: Tensor
    key: Tensor
    value: Tensor
    grad: Tensor
    cumulative: Tensor
    lengths: tuple[int, ...]

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence."""
        return max(self.lengths)

    def present(self) -> Tensor:
        """Which places of the padded layout hold a token, `[batch, longest]`."""
        places = torch.arange(self.longest, device=self.query.device)
        return places < torch.tensor(self.lengths, device=self.query.device)[:, None]

    def padded(self, tensor: Tensor) -> Tensor:
        """`[batch, heads, longest, head_dim]`, strided as a model's projections are."""
        shape = (len(self.lengths), self.longest, *tensor.shape[1:])
        laid = tensor.new_zeros(shape)
        laid[self.present()] = tensor.detach()
        return laid.transpose(1, 2).requires_grad_(tensor.requires_grad)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one contender does: its forward, and what to differentiate, by what."""

    forward: Callable[[], list[Tensor]]
    inputs: list[Tensor]
    grads: list[Tensor]
    unpack: Callable[[list[Tensor]], list[Tensor]] = list


Builder = Callable[[Shape, Stream, Stream, float], Job]
"""Makes the job of a shape from its streams and the probability of dropout."""


def streams(shape: Shape, device: str, dtype: torch.dtype) -> tuple[Stream, Stream]:
    """Return the streams that ask and are asked, the same one in self-attention."""
    first = _stream(shape.query_lengths, shape, device, dtype)
    alone = shape.query_lengths == shape.key_lengths and not shape.both
    return first, first if alone else _stream(shape.key_lengths, shape, device, dtype)


def _stream(lengths: tuple[int, ...], shape: Shape, device: str, dtype: torch.dtype) -> Stream:
    fused = torch.randn(sum(lengths), 3, shape.heads, shape.head_dim, device=device, dtype=dtype)
    query, key, value = (part.detach().requires_grad_() for part in fused.unbind(1))
    ends = torch.tensor([0, *lengths]).cumsum(0)
    return Stream(
        query=query,
        key=key,
        value=value,
        grad=torch.randn_like(query),
        cumulative=ends.to(device=device, dtype=torch.int32),
        lengths=lengths,
    )


def _directions(shape: Shape, first: Stream, second: Stream) -> list[tuple[Stream, Stream]]:
    return [(first, second), (second, first)] if shape.both else [(first, second)]


def triton_job(shape: Shape, first: Stream, second: Stream, dropout: float) -> Job:
    """Ours, on packed rows; both directions in one launch."""
    seed = torch.tensor([7], device=first.query.device)
    lengths = (first.cumulative, second.cumulative, first.longest, second.longest)

    def single() -> list[Tensor]:
        inputs = (first.query, second.key, second.value)
        return [varlen_attention(*inputs, *lengths, dropout=dropout, seed=seed)]

    def pair() -> list[Tensor]:
        inputs = (first.query, first.key, first.value, second.query, second.key, second.value)
        return list(coattention(*inputs, *lengths, dropout=dropout, seed=seed))

    return packed_job(shape, first, second, pair if shape.both else single)


def varlen_job(shape: Shape, first: Stream, second: Stream, dropout: float) -> Job:
    """torch's own attention of packed rows."""
    from torch.nn.attention.varlen import varlen_attn

    if dropout:
        raise ValueError("it drops no weights")

    def forward() -> list[Tensor]:
        return [
            varlen_attn(
                asking.query,
                asked.key,
                asked.value,
                asking.cumulative,
                asked.cumulative,
                asking.longest,
                asked.longest,
            )
            for asking, asked in _directions(shape, first, second)
        ]

    return packed_job(shape, first, second, forward)


def packed_job(
    shape: Shape, first: Stream, second: Stream, forward: Callable[[], list[Tensor]]
) -> Job:
    """Return a job on packed rows."""
    pairs = _directions(shape, first, second)
    return Job(
        forward=forward,
        inputs=[t for asking, asked in pairs for t in (asking.query, asked.key, asked.value)],
        grads=[asking.grad for asking, _ in pairs],
    )


Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None, float], Tensor]


def padded_job(attend: Attend) -> Builder:
    """A contender that takes `[batch, heads, tokens, head_dim]`, a mask of the keys, dropout."""

    def build(shape: Shape, first: Stream, second: Stream, dropout: float) -> Job:
        pairs = _directions(shape, first, second)
        laid = [
            (asking.padded(asking.query), asked.padded(asked.key), asked.padded(asked.value))
            for asking, asked in pairs
        ]
        masks = [
            None if len(set(asked.lengths)) == 1 else asked.present()[:, None, None, :]
            for _, asked in pairs
        ]

        def forward() -> list[Tensor]:
            return [attend(*qkv, mask, dropout) for qkv, mask in zip(laid, masks, strict=True)]

        return Job(
            forward=forward,
            inputs=[tensor for qkv in laid for tensor in qkv],
            grads=[asking.padded(asking.grad) for asking, _ in pairs],
            unpack=lambda outputs: [
                output.transpose(1, 2)[asking.present()]
                for output, (asking, _) in zip(outputs, pairs, strict=True)
            ],
        )

    return build


def backend_job(backend: SDPBackend) -> Builder:
    """One implementation of torch's fused attention."""

    def attend(
        query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout: float
    ) -> Tensor:
        with sdpa_kernel(backend):
            return scaled_dot_product_attention(query, key, value, mask, dropout)

    return padded_job(attend)


def eager_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout: float
) -> Tensor:
    """Plain tensor operations."""
    scores = query @ key.transpose(2, 3) * query.shape[3] ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return drop(scores.softmax(-1, dtype=torch.float32), dropout).to(query.dtype) @ value


def flex_job(shape: Shape, first: Stream, second: Stream, dropout: float) -> Job:
    """FlexAttention, compiled: dense as it is, ragged as packed rows with a block mask."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    if dropout:
        raise ValueError("it drops no weights")
    # Each shape compiles anew; past a few, torch would fall back to unfused operations.
    torch._dynamo.reset()
    compiled = torch.compile(flex_attention, dynamic=False)
    if shape.dense:
        return padded_job(lambda q, k, v, _, __: compiled(q, k, v))(shape, first, second, dropout)
    pairs = _directions(shape, first, second)
    masks = []
    for asking, asked in pairs:
        rows, columns = (
            torch.repeat_interleave(torch.tensor(each.lengths, device=each.query.device))
            for each in (asking, asked)
        )

        def same(
            b: Tensor, h: Tensor, q: Tensor, k: Tensor, r: Tensor = rows, c: Tensor = columns
        ) -> Tensor:
            return r[q] == c[k]

        device = asking.query.device.type
        masks.append(create_block_mask(same, None, None, len(rows), len(columns), device=device))

    def forward() -> list[Tensor]:
        return [
            compiled(*(t.transpose(0, 1)[None] for t in (a.query, b.key, b.value)), block_mask=mask)
            .squeeze(0)
            .transpose(0, 1)
            for (a, b), mask in zip(pairs, masks, strict=True)
        ]

    return packed_job(shape, first, second, forward)


CONTENDERS: dict[str, Builder] = {
    OURS: triton_job,
    **{name: backend_job(backend) for name, backend in BACKENDS.items()},
    "torch varlen": varlen_job,
    "flex compiled": flex_job,
    "eager": padded_job(eager_attention),
}
