"""What flows between the parts of a model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from renaissance.compiler.errors import InputError
from renaissance.compiler.packing import Packing
from renaissance.compiler.standing import traced, transformed
from renaissance.grammar.names import listing

Queries = Literal["all", "first"] | Tensor
"""Which tokens of a stream are read: all, the first of each row, or those at places `[k]` int64 in
the flattened `[rows * n]`, or in the one long row of a packed stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """A stream of tokens in rows: all of one length, padded and masked, or packed.

    Attributes:
        tokens: `[rows, n, width]`; packed `[tokens, width]`, row after row.
        mask: `[rows, n]` bool, True where a token is no padding; None where nothing is padded.
        packing: where rows start; None where they are not packed.
    """

    tokens: Tensor
    mask: Tensor | None = None
    packing: Packing | None = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.tokens.shape[0] if self.packing is None else self.packing.rows

    @property
    def longest(self) -> int:
        """Tokens of the longest row, or more."""
        return self.tokens.shape[1] if self.packing is None else self.packing.longest

    @property
    def ragged(self) -> bool:
        """Whether rows are packed and may differ in length."""
        return self.packing is not None and self.packing.length is None

    def with_tokens(self, tokens: Tensor) -> "Features":
        """Return other tokens in the same rows."""
        return replace(self, tokens=tokens)

    def split(self, rows: list[int], tokens: list[int]) -> list["Features"]:
        """Return consecutive parts that together are all rows.

        Args:
            rows: how many rows each part has.
            tokens: how many tokens these have, where packed rows differ in length.
        """
        if self.packing is None:
            masks = [None] * len(rows) if self.mask is None else torch.split(self.mask, rows)
            return [
                Features(tokens=part, mask=mask)
                for part, mask in zip(torch.split(self.tokens, rows), masks, strict=True)
            ]
        if self.packing.length is not None:
            tokens = [count * self.packing.length for count in rows]
        packings = self.packing.split(rows, tokens)
        return [
            Features(tokens=part, packing=packing)
            for part, packing in zip(torch.split(self.tokens, tokens), packings, strict=True)
        ]

    def read(self, queries: Queries) -> "Features":
        """Return what is read: all of it, `[rows, 1, width]` or `[k, width]`."""
        if isinstance(queries, Tensor):
            flat = self.tokens if self.packing is not None else self.tokens.flatten(0, 1)
            return Features(tokens=flat.index_select(0, queries))
        if queries == "all":
            return self
        if self.packing is not None:
            return Features(tokens=self.tokens.index_select(0, self.packing.starts)[:, None])
        return Features(tokens=self.tokens[:, :1])

    def select(self, index: Tensor, tokens: int = 0) -> "Features":
        """Return rows by their index `[k]` int64; a row may be taken more than once.

        Args:
            index: numbers of rows.
            tokens: how many tokens they have together, where rows are packed.
        """
        if self.packing is not None:
            packing, places = self.packing.select(index, tokens)
            return Features(tokens=self.tokens.index_select(0, places), packing=packing)
        mask = None if self.mask is None else self.mask.index_select(0, index)
        return Features(tokens=self.tokens.index_select(0, index), mask=mask)

    def followed_by(self, other: "Features") -> "Features":
        """Return these rows and then the others, packed."""
        first, second = self.packed(), other.packed()
        assert first.packing is not None and second.packing is not None  # as packed
        return Features(
            tokens=torch.cat((first.tokens, second.tokens)),
            packing=first.packing.followed_by(second.packing, len(first.tokens)),
        )

    def packed(self) -> "Features":
        """Return the same rows without padding; a mask is read back from the device for it."""
        if self.packing is not None:
            return self
        flat = self.tokens.flatten(0, 1)
        if self.mask is None:
            rows, length = self.tokens.shape[:2]
            return Features(tokens=flat, packing=Packing.uniform(rows, length, flat.device))
        return Features(tokens=flat[self.mask.flatten()], packing=Packing.of_mask(self.mask))

    def padded(self) -> "Features":
        """Return the same rows as `[rows, n, width]`, masked where they are not of one length."""
        if self.packing is None:
            return self
        mask = None if self.packing.length is not None else self.packing.mask()
        return Features(tokens=self.packing.pad(self.tokens), mask=mask)

    def from_packed(self, tokens: Tensor) -> Tensor:
        """Bring tokens of `packed()` back into the form of these, zeros where there is padding."""
        if self.packing is not None:
            return tokens
        if self.mask is None:
            return tokens.view(*self.tokens.shape[:2], *tokens.shape[1:])
        rows = tokens.new_zeros((*self.mask.shape, *tokens.shape[1:]))
        rows[self.mask] = tokens
        return rows

    def from_padded(self, tokens: Tensor) -> Tensor:
        """Bring tokens of `padded()` back into the form of these."""
        if self.packing is None:
            return tokens
        return self.packing.unpad(tokens, len(self.tokens))

    def in_form(self, padded: "Features") -> "Features":
        """Bring a stream that was made of `padded()` into the form of these."""
        return self.with_tokens(self.from_padded(padded.tokens))


def corresponding(streams: Mapping[str, Features]) -> dict[str, Features]:
    """Return streams of equally many rows; one of a single row is repeated.

    Raises:
        InputError: if the numbers of rows differ otherwise.
    """
    counts = {name: stream.rows for name, stream in streams.items()}
    rows = next((count for count in counts.values() if count != 1), 1)
    if any(count not in (1, rows) for count in counts.values()):
        told = " and ".join(f"{count} of `{name}`" for name, count in counts.items())
        raise InputError(f"rows do not correspond: {told}")
    found = dict(streams)
    for name, stream in streams.items():
        if counts[name] != rows:
            index = torch.zeros(rows, dtype=torch.int64, device=stream.tokens.device)
            found[name] = stream.select(index, rows * len(stream.tokens))
    return found


def consecutive(
    streams: Mapping[str, Features], readings: Sequence["RowGroup"]
) -> Iterator[tuple[dict[str, Features], Mapping[str, Queries]]]:
    """Yield the rows of each part beside what is read of them; the parts cover all rows."""
    rows, tokens = [part.rows for part in readings], [part.tokens for part in readings]
    split = {name: stream.split(rows, tokens) for name, stream in streams.items()}
    for index, part in enumerate(readings):
        yield {name: parts[index] for name, parts in split.items()}, part.queries


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
        positions: `[k]` int64, places of the tokens in the flattened `[rows * n]`, or in the one
            long row of a packed stream.
        tokens: tokens of these rows in the packed stream, if one is packed.
    """

    rows: int
    stream: str | None = None
    positions: Tensor | None = None
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextInput:
    """Texts as a tower reads them: padded rows, or packed.

    Attributes:
        input_ids: `[rows, n]` int64; packed `[tokens]`, text after text.
        mask: `[rows, n]` bool, True where a token is no padding; None where nothing is padded.
        packing: where texts start; None where they are not packed.
    """

    input_ids: Tensor
    mask: Tensor | None = None
    packing: Packing | None = None

    @classmethod
    def of(cls, inputs: Any) -> "TextInput":
        """Read texts: a `TextInput`, or `input_ids` with `attention_mask` (absent: no padding).

        Padding stands behind the text, and a text is one segment. A mapping on a CPU is looked at
        for both; on a GPU that would wait for the device.

        Args:
            inputs: texts, or a mapping such as a tokenizer returns.

        Raises:
            InputError: if they are something else, padded in front, or of two segments.
        """
        if isinstance(inputs, TextInput):
            return inputs
        if not isinstance(inputs, Mapping) or "input_ids" not in inputs:
            raise InputError(
                f"texts as {_named(inputs)} where the model takes what a tokenizer returns: a "
                "mapping of `input_ids` [rows, n] and `attention_mask` [rows, n]"
            )
        ids, mask = inputs["input_ids"], inputs.get("attention_mask")
        if not isinstance(ids, Tensor) or ids.ndim != 2 or ids.is_floating_point():
            raise InputError(
                f"`input_ids` as {_named(ids)} where the model takes a tensor of integers, "
                '[rows, n]; a tokenizer gives it with `return_tensors = "pt"`'
            )
        if mask is not None and (not isinstance(mask, Tensor) or mask.shape != ids.shape):
            raise InputError(
                f"`attention_mask` as {_named(mask)} beside `input_ids` as {_named(ids)}; "
                "both have the same shape"
            )
        _check_segments(inputs.get("token_type_ids"))
        _check_side(mask)
        return cls(input_ids=ids, mask=None if mask is None else mask.bool())

    @property
    def longest(self) -> int:
        """Tokens of the longest text, or more."""
        return self.input_ids.shape[1] if self.packing is None else self.packing.longest

    def padded(self) -> "TextInput":
        """Return the same texts in padded rows; padding is token 0."""
        if self.packing is None:
            return self
        return TextInput(input_ids=self.packing.pad(self.input_ids), mask=self.packing.mask())

    def in_form(self, padded: Features) -> Features:
        """Bring what was made of `padded()` into the form of these."""
        if self.packing is None:
            return padded
        tokens = self.packing.unpad(padded.tokens, len(self.input_ids))
        return Features(tokens=tokens, packing=self.packing)


def images_of(inputs: Any) -> Tensor:
    """Read images: a tensor, or a mapping of `pixel_values`, as an image processor returns it.

    Raises:
        InputError: if they are something else.
    """
    if isinstance(inputs, Mapping) and "pixel_values" in inputs:
        inputs = inputs["pixel_values"]
    if not isinstance(inputs, Tensor):
        raise InputError(
            f"images as {_named(inputs)} where the model takes a tensor [rows, 3, height, width], "
            "or a mapping of `pixel_values` with one"
        )
    return inputs


def _check_segments(types: Any) -> None:
    if isinstance(types, Tensor) and _can_look_at(types) and types.any():
        raise InputError(
            "`token_type_ids` tell two segments apart, and the model knows one: give each text "
            "alone, not as a pair"
        )


def _check_side(mask: Tensor | None) -> None:
    if mask is None or not mask.shape[1] or not _can_look_at(mask):
        return
    seen = mask.bool()
    if (~seen[:, 0] & seen.any(1)).any():
        raise InputError(
            "texts are padded in front, where the model reads their first token; pad them behind: "
            '`tokenizer.padding_side = "right"`'
        )


def _can_look_at(tensor: Tensor) -> bool:
    """Return whether the numbers are here and may decide something."""
    return (
        tensor.device.type == "cpu"
        and not torch.compiler.is_compiling()
        and not traced()
        and not transformed()
    )


def _named(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {list(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, Mapping):
        keys = listing(value, "nothing")
        return f"a mapping of {keys}"
    return f"a `{type(value).__name__}`"


# torch.export and torch.compile look into the results of a model.
pytree.register_dataclass(Features, serialized_type_name="renaissance.Features")
pytree.register_dataclass(ModelOutput, serialized_type_name="renaissance.ModelOutput")
