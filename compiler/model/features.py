"""What flows between the parts of a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils import _pytree as pytree

from renaissance.compiler.errors import InputError
from renaissance.compiler.model.packing import Packing

Queries = Literal["all", "first", "last"] | Tensor
"""Which tokens of a stream are read: all, the first or the last of each row, or those at places
`[k]` int64 in the flattened `[rows * n]`, or in the one long row of a packed stream."""


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
        if queries == "last":
            return Features(tokens=self._last()[:, None])
        if self.packing is not None:
            return Features(tokens=self.tokens.index_select(0, self.packing.starts)[:, None])
        return Features(tokens=self.tokens[:, :1])

    def _last(self) -> Tensor:
        """Return the last token of each row that is no padding, `[rows, width]`."""
        if self.packing is not None:
            return self.tokens.index_select(0, self.packing.cumulative[1:] - 1)
        if self.mask is None:
            return self.tokens[:, -1]
        rows = torch.arange(len(self.tokens), device=self.tokens.device)
        return self.tokens[rows, self.mask.sum(1) - 1]

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


def stacked(parts: Sequence[Features]) -> Features:
    """Put rows of parts below each other; those of shorter parts are padded behind and masked.

    Args:
        parts: tokens `[rows, n, width]` without padding, one part at least.
    """
    if len(parts) == 1:
        return parts[0]
    lengths = [part.tokens.shape[1] for part in parts for _ in range(part.rows)]
    tokens = torch.cat([part.tokens.flatten(0, 1) for part in parts])
    return Features(tokens=tokens, packing=Packing.of_lengths(lengths, tokens.device)).padded()


def below(parts: Sequence[Features]) -> Features:
    """Put padded rows of parts below each other; shorter parts are padded behind and masked."""
    if len(parts) == 1:
        return parts[0]
    longest = max(part.longest for part in parts)
    if all(part.mask is None and part.longest == longest for part in parts):
        return Features(tokens=torch.cat([part.tokens for part in parts]))
    tokens, masks = [], []
    for part in parts:
        missing = longest - part.longest
        mask = part.tokens.new_ones(part.tokens.shape[:2], dtype=torch.bool)
        masks.append(F.pad(mask if part.mask is None else part.mask, (0, missing)))
        tokens.append(F.pad(part.tokens, (0, 0, 0, missing)))
    return Features(tokens=torch.cat(tokens), mask=torch.cat(masks))


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


# torch.export and torch.compile look into it.
pytree.register_dataclass(Features, serialized_type_name="renaissance.Features")
