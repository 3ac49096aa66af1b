"""Attention problems at the shapes of the shipped specs, and what they cost at least."""

from dataclasses import dataclass
from typing import Literal

import torch

Pass = Literal["forward", "forward+backward"]
PASSES: tuple[Pass, ...] = ("forward", "forward+backward")
WIDTHS = ((3, 64), (4, 64), (8, 32), (12, 64), (16, 64))
"""Heads and width of a head in the shipped specs."""
CHOSEN = ((4, 64, 512), (12, 64, 256), (8, 32, 512))
"""Heads, width of a head and batch of the few shapes that stand for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One attention problem; co-attention also runs it with queries and keys swapped."""

    name: str
    query_lengths: tuple[int, ...]
    key_lengths: tuple[int, ...]
    heads: int
    head_dim: int
    both: bool = False

    @property
    def dense(self) -> bool:
        """Whether every sequence is as long as the others, so that nothing needs a mask."""
        return len(set(self.query_lengths)) == len(set(self.key_lengths)) == 1


def captions(batch: int) -> tuple[int, ...]:
    """Return caption lengths from 8 to 50 tokens, most of them short, the same in every run."""
    generator = torch.Generator().manual_seed(batch)
    drawn = torch.rand(batch, generator=generator) ** 3 * 43 + 8
    return tuple(min(50, int(length)) for length in drawn)


def image(tokens: int, batch: int, heads: int, head_dim: int) -> Shape:
    """Return self-attention of images."""
    return Shape(
        name=f"image {tokens}, {_size(batch, heads, head_dim)}",
        query_lengths=(tokens,) * batch,
        key_lengths=(tokens,) * batch,
        heads=heads,
        head_dim=head_dim,
    )


def text(batch: int, heads: int, head_dim: int) -> Shape:
    """Return self-attention of captions."""
    return Shape(
        name=f"text 8-50, {_size(batch, heads, head_dim)}",
        query_lengths=captions(batch),
        key_lengths=captions(batch),
        heads=heads,
        head_dim=head_dim,
    )


def coattention(batch: int, heads: int, head_dim: int) -> Shape:
    """Return both directions between captions and images."""
    return Shape(
        name=f"co-attention text 8-50 with image 197, {_size(batch, heads, head_dim)}",
        query_lengths=captions(batch),
        key_lengths=(197,) * batch,
        heads=heads,
        head_dim=head_dim,
        both=True,
    )


def _size(batch: int, heads: int, head_dim: int) -> str:
    return f"batch {batch}, {heads} heads of {head_dim}"


def shapes(batches: tuple[int, ...] = (32, 128, 512)) -> list[Shape]:
    """Return images of 197 and 577 tokens, captions, and both directions between these."""
    found = []
    for batch in batches:
        for heads, head_dim in WIDTHS:
            found.append(image(197, batch, heads, head_dim))
            if batch * heads <= 128 * 16:
                found.append(image(577, batch, heads, head_dim))
            found.append(text(batch, heads, head_dim))
            found.append(coattention(batch, heads, head_dim))
    return found


def chosen_shapes() -> list[Shape]:
    """Return the shapes of the models that are trained most, at the batch that they train with."""
    found = []
    for heads, head_dim, batch in CHOSEN:
        found.append(image(197, batch, heads, head_dim))
        found.append(text(batch, heads, head_dim))
        found.append(coattention(batch, heads, head_dim))
    return [*found, image(577, 32, 12, 64)]


def tiny_shapes() -> list[Shape]:
    """Return a ragged and a two-way problem that the interpreter finishes in seconds."""
    short, long = (3, 5), (7, 7)
    return [
        Shape(name="tiny text", query_lengths=short, key_lengths=short, heads=1, head_dim=16),
        Shape(
            name="tiny co-attention",
            query_lengths=short,
            key_lengths=long,
            heads=1,
            head_dim=16,
            both=True,
        ),
    ]


def flops(shape: Shape, which: Pass) -> float:
    """Return the floating-point operations that the tokens need, none for padding."""
    pairs = sum(q * k for q, k in zip(shape.query_lengths, shape.key_lengths, strict=True))
    forward = 4.0 * shape.heads * shape.head_dim * pairs * (2 if shape.both else 1)
    return forward * (1.0 if which == "forward" else 3.5)


def traffic(shape: Shape, which: Pass, itemsize: int) -> float:
    """Return the bytes that must be read and written, each tensor once a pass.

    Forward reads query, key and value and writes the output; backward reads these and the output's
    gradient and writes three gradients.
    """
    queries, keys = sum(shape.query_lengths), sum(shape.key_lengths)
    forward, backward = 2 * queries + 2 * keys, 4 * queries + 4 * keys
    tokens = forward + (backward if which == "forward+backward" else 0)
    return float(tokens * (2 if shape.both else 1) * shape.heads * shape.head_dim * itemsize)
