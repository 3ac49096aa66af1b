"""One attention call: what asks, what answers, and with which numbers."""

from typing import NamedTuple

from torch import Tensor

from renaissance.compiler.kernels.configurations import is_short, short_block


class Direction(NamedTuple):
    """Queries of one packed stream and the keys and values they attend to.

    Attributes:
        query: `[query_tokens, heads, head_dim]`.
        key: `[key_tokens, heads, head_dim]`.
        value: `[key_tokens, heads, head_dim]`.
    """

    query: Tensor
    key: Tensor
    value: Tensor


class Call(NamedTuple):
    """One attention call: one direction, or two that swap the roles of their streams.

    Attributes:
        directions: the first direction and, for co-attention, the second, whose queries lie as the
            first's keys do and the other way round.
        cu_query: cumulative lengths of the first direction's queries, int32 `[sequences + 1]`.
        cu_key: cumulative lengths of its keys, int32 `[sequences + 1]`.
        max_query: tokens of the longest query sequence.
        max_key: tokens of the longest key sequence.
        scale: factor on the scores.
        bias: additive bias `[groups, heads, max_query, max_key]`, only with one direction.
        dropout: probability that an attention weight is dropped.
        seed: one int64 number on the device, that decides what is dropped; None where `number`
            does.
        number: a number of 64 bits.
    """

    directions: tuple[Direction, ...]
    cu_query: Tensor
    cu_key: Tensor
    max_query: int
    max_key: int
    scale: float
    bias: Tensor | None
    dropout: float
    seed: Tensor | None
    number: int = 0

    @property
    def pair(self) -> bool:
        """Whether there are two directions."""
        return len(self.directions) == 2

    @property
    def sequences(self) -> int:
        """Sequences of each direction."""
        return self.cu_query.shape[0] - 1

    @property
    def heads(self) -> int:
        """Attention heads."""
        return self.directions[0].query.shape[1]

    @property
    def groups(self) -> int:
        """Biases that the sequences take in turn."""
        return 1 if self.bias is None else self.bias.shape[0]

    @property
    def tile(self) -> tuple[int, int]:
        """Rows of queries and of keys of the tile that holds whole sequences, where they are short.

        With two directions it holds those of either.
        """
        rows, columns = short_block(self.max_query), short_block(self.max_key)
        return (max(rows, columns),) * 2 if self.pair else (rows, columns)

    @property
    def short(self) -> bool:
        """Whether one program takes whole sequences."""
        return is_short(self.directions[0].query.dtype, self.max_query, self.max_key)


def statistics_shape(heads: int, rows: int, dropout: float) -> tuple[int, ...]:
    """Shape of what the forward pass keeps of each row for the backward pass, float32.

    The log-sum-exp of its scores, and with dropout the two random words of the row.
    """
    return (3, heads, rows) if dropout > 0.0 else (heads, rows)


def single(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_query: Tensor,
    cu_key: Tensor,
    bias: Tensor | None,
    seed: Tensor | None,
    max_query: int,
    max_key: int,
    scale: float,
    dropout: float,
    number: int = 0,
) -> Call:
    """One direction."""
    return Call(
        directions=(Direction(query=query, key=key, value=value),),
        cu_query=cu_query,
        cu_key=cu_key,
        max_query=max_query,
        max_key=max_key,
        scale=scale,
        bias=bias if bias is None or bias.stride(3) == 1 else bias.contiguous(),
        dropout=dropout,
        seed=seed,
        number=number,
    )


def pair(
    query_a: Tensor,
    key_a: Tensor,
    value_a: Tensor,
    query_b: Tensor,
    key_b: Tensor,
    value_b: Tensor,
    cu_a: Tensor,
    cu_b: Tensor,
    seed: Tensor | None,
    max_a: int,
    max_b: int,
    scale: float,
    dropout: float,
    number: int = 0,
) -> Call:
    """Both directions of co-attention, the queries of `a` first."""
    return Call(
        directions=(
            Direction(query=query_a, key=key_b, value=value_b),
            Direction(query=query_b, key=key_a, value=value_a),
        ),
        cu_query=cu_a,
        cu_key=cu_b,
        max_query=max_a,
        max_key=max_b,
        scale=scale,
        bias=None,
        dropout=dropout,
        seed=seed,
        number=number,
    )
