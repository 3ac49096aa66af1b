"""What is read of a fusion, and what a whole model gives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.utils import _pytree as pytree

from renaissance.compiler.model.features import Features, Queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a head reads of consecutive rows of a fusion, so that nothing else is computed.

    Attributes:
        rows: how many rows.
        stream: whose tokens are read; None for the pooled vector of each row.
        positions: `[k]` int64, places of the tokens in the flattened `[rows * n]`, or in the one
            long row of a packed stream.
        tokens: tokens of these rows in the packed stream, if one is packed.
    """

    rows: int
    stream: str | None = None
    positions: Tensor | None = None
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGroup:
    """Consecutive rows of a fusion, and what is read of which of its streams.

    Attributes:
        rows: how many rows.
        queries: what is read, by stream.
        tokens: tokens of these rows in the packed stream, if one is packed.
    """

    rows: int
    queries: Mapping[str, Queries]
    tokens: int = 0


def consecutive(
    streams: Mapping[str, Features], readings: Sequence["RowGroup"]
) -> Iterator[tuple[dict[str, Features], Mapping[str, Queries]]]:
    """Yield the rows of each part beside what is read of them; the parts cover all rows."""
    rows, tokens = [part.rows for part in readings], [part.tokens for part in readings]
    split = {name: stream.split(rows, tokens) for name, stream in streams.items()}
    for index, part in enumerate(readings):
        yield {name: parts[index] for name, parts in split.items()}, part.queries


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOutput:
    """What a model gives for rows of corresponding inputs.

    Attributes:
        streams: `[rows, n, width]` of each stream after fusion; zeros where there is padding.
        pooled: `[rows, pooled_width]`.
    """

    streams: dict[str, Tensor]
    pooled: Tensor


# torch.export looks into the results of a model.
pytree.register_dataclass(ModelOutput, serialized_type_name="renaissance.ModelOutput")
