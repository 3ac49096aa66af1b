"""What flows between the parts of a model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor
from torch.utils import _pytree as pytree

Queries = Literal["all", "first"] | Tensor
"""Which tokens of a stream are read: all, the first of each row, or those at places `[k]` int64 in
the flattened `[rows * n]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """A stream of tokens.

    Attributes:
        tokens: `[rows, n, width]`.
        mask: `[rows, n]` bool, True where a token is no padding; None where nothing is padded.
    """

    tokens: Tensor
    mask: Tensor | None = None

    def narrow(self, start: int, rows: int) -> "Features":
        """Return consecutive rows."""
        mask = None if self.mask is None else self.mask.narrow(0, start, rows)
        return Features(tokens=self.tokens.narrow(0, start, rows), mask=mask)

    def read(self, queries: Queries) -> "Features":
        """Return what is read: `[rows, n, width]`, `[rows, 1, width]` or `[k, width]`."""
        if isinstance(queries, Tensor):
            return Features(tokens=self.tokens.flatten(0, 1).index_select(0, queries))
        if queries == "first":
            return Features(tokens=self.tokens[:, :1])
        return self

    def select(self, index: Tensor) -> "Features":
        """Return rows by their index `[k]` int64; a row may be taken more than once."""
        mask = None if self.mask is None else self.mask.index_select(0, index)
        return Features(tokens=self.tokens.index_select(0, index), mask=mask)


def consecutive(
    streams: Mapping[str, Features], readings: Sequence[tuple[int, Mapping[str, Queries]]]
) -> Iterator[tuple[dict[str, Features], Mapping[str, Queries]]]:
    """Yield the rows of each reading beside what is read of them; readings cover all rows."""
    start = 0
    for rows, queries in readings:
        yield {name: stream.narrow(start, rows) for name, stream in streams.items()}, queries
        start += rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOutput:
    """What a model gives for rows of corresponding inputs.

    Attributes:
        streams: `[rows, n, width]` of each stream after fusion; zeros where there is padding.
        pooled: `[rows, pooled_width]`.
    """

    streams: dict[str, Tensor]
    pooled: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a head reads of consecutive rows of a fusion, so that nothing else is computed.

    Attributes:
        rows: how many rows.
        stream: whose tokens are read; None for the pooled vector of each row.
        positions: `[k]` int64, places of the tokens in the flattened `[rows * n]`.
    """

    rows: int
    stream: str | None = None
    positions: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextInput:
    """Texts as a tower reads them.

    Attributes:
        input_ids: `[rows, n]` int64.
        mask: `[rows, n]` bool, True where a token is no padding; None where nothing is padded.
    """

    input_ids: Tensor
    mask: Tensor | None

    @classmethod
    def of(cls, inputs: Any) -> "TextInput":
        """Read a mapping or a record of `input_ids` and `attention_mask` (absent: no padding)."""
        if isinstance(inputs, Mapping):
            ids, mask = inputs["input_ids"], inputs.get("attention_mask")
        else:
            ids, mask = inputs.input_ids, inputs.attention_mask
        return cls(input_ids=ids, mask=None if mask is None else mask.bool())


# torch.export and torch.compile look into the results of a model.
pytree.register_dataclass(Features, serialized_type_name="renaissance.Features")
pytree.register_dataclass(ModelOutput, serialized_type_name="renaissance.ModelOutput")
