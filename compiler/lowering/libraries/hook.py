"""What the layers of a library's encoder call in place of the library's own attention."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor

from renaissance.compiler.backbones.rows import Rows
from renaissance.compiler.errors import BackboneError
from renaissance.compiler.lowering.dispatch import attend
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.packing import Packing
from renaissance.grammar.schema.model import Attention


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """An implementation that a library brings, by the name that transformers gives it."""

    name: str


EAGER = Library(name="eager")


class _Calls(threading.local):
    """Where calls of this thread are collected, while they are counted."""

    made: list[int] | None = None


_calls = _Calls()


class HookError(BackboneError):
    """Layers that ask for an attention that is not the project's; caught when a hook is proved."""


def hooked_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    rows: Rows,
    *,
    attention: Attention,
    scale: float | None = None,
    dropout: float = 0.0,
) -> Tensor:
    """Let the tokens of each row attend to each other.

    Args:
        query: `[rows, heads, n, head_dim]`; packed `[1, heads, tokens, head_dim]`.
        key: shape of `query`.
        value: shape of `query`.
        rows: what the layers were given as a mask.
        attention: implementation that the spec asks for.
        scale: factor on the scores; the root of `1 / head_dim` if None.
        dropout: probability of dropping an attention weight, 0 outside training.

    Returns:
        `[rows, n, heads, head_dim]`; packed `[1, tokens, heads, head_dim]`.

    Raises:
        HookError: if the mask is none of these.
    """
    if _calls.made is not None:
        _calls.made.append(len(query))
    # A norm in front of the products gives float32 under autocast, where values do not.
    query, key, value = (part.to(value.dtype).transpose(1, 2) for part in (query, key, value))
    bias = mask = packing = None
    if isinstance(rows, Packing):
        packing, query, key, value = rows, query[0], key[0], value[0]
    elif rows is not None and rows.ndim == 2:
        mask = rows
    elif rows is not None:
        if rows.ndim != 4 or not rows.is_floating_point():
            raise HookError("the layers pass a mask of another kind")
        bias = rows.expand(-1, query.shape[2], -1, -1)
    queries = Features(tokens=query, mask=mask, packing=packing)
    attended = attend(
        queries,
        queries.with_tokens(key),
        queries.with_tokens(value),
        attention=attention,
        bias=bias,
        scale=scale,
        dropout=dropout,
    )
    return attended if packing is None else attended[None]


@contextmanager
def counted() -> Iterator[list[int]]:
    """Collect an entry for each call of `hooked_attention` in this thread."""
    before, _calls.made = _calls.made, []
    try:
        yield _calls.made
    finally:
        _calls.made = before
