"""Rows of different length as one long row of tokens, without padding."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import torch
from torch import Tensor
from torch.utils import _pytree as pytree


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """Where each row starts in one long row of tokens.

    What is known on the host (the number of tokens, the longest row) is never read back from the
    device: a step on a GPU does not wait.

    Attributes:
        cumulative: tokens before each row and, last, of all rows, int32 `[rows + 1]`.
        longest: tokens of the longest row, or more.
        length: tokens of every row, where all have the same number; None elsewhere.
    """

    cumulative: Tensor
    longest: int
    length: int | None = None

    @classmethod
    def of_mask(cls, mask: Tensor) -> "Packing":
        """Return the packing of the tokens that a mask `[rows, n]` bool lets through."""
        return cls(cumulative=_cumulative(mask.sum(1)), longest=mask.shape[1])

    @classmethod
    def of_lengths(cls, lengths: Sequence[int], device: torch.device) -> "Packing":
        """Return the packing of rows whose tokens are known on the host, one row at least."""
        if len(set(lengths)) == 1:
            return cls.uniform(len(lengths), lengths[0], device)
        ends = torch.tensor([0, *accumulate(lengths)], dtype=torch.int32)
        return cls(cumulative=ends.to(device, non_blocking=True), longest=max(lengths))

    @classmethod
    def uniform(cls, rows: int, length: int, device: torch.device) -> "Packing":
        """Return the packing of rows that are all `length` tokens long."""
        ends = torch.arange(0, (rows + 1) * length, max(length, 1), device=device)
        return cls(cumulative=ends.to(torch.int32), longest=length, length=length)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.cumulative.shape[0] - 1

    @property
    def starts(self) -> Tensor:
        """`[rows]` int32: place of the first token of each row."""
        return self.cumulative[:-1]

    @property
    def lengths(self) -> Tensor:
        """`[rows]` int32: tokens of each row."""
        return self.cumulative.diff()

    def row_of(self, tokens: int) -> Tensor:
        """Return `[tokens]` int64, the row of each of all `tokens`."""
        rows = torch.arange(self.rows, device=self.cumulative.device)
        return rows.repeat_interleave(self.lengths, output_size=tokens)

    def place_in_row(self, tokens: int) -> Tensor:
        """Return `[tokens]` int64, the place of each of all `tokens` in its row, from 0."""
        places = torch.arange(tokens, device=self.cumulative.device)
        return places - self.starts[self.row_of(tokens)]

    def mask(self) -> Tensor:
        """Return `[rows, longest]` bool, True where padded rows have a token."""
        places = torch.arange(self.longest, device=self.cumulative.device)
        return places < self.lengths[:, None]

    def pad(self, tokens: Tensor) -> Tensor:
        """Spread `[tokens, ...]` over padded rows `[rows, longest, ...]`, zeros elsewhere."""
        if self.length is not None:
            return tokens.view(self.rows, self.length, *tokens.shape[1:])
        padded = tokens.new_zeros((self.rows * self.longest, *tokens.shape[1:]))
        padded.index_copy_(0, self._in_rectangle(len(tokens)), tokens)
        return padded.view(self.rows, self.longest, *tokens.shape[1:])

    def unpad(self, rows: Tensor, tokens: int) -> Tensor:
        """Gather the `tokens` of padded `[rows, longest, ...]` as `[tokens, ...]`."""
        if self.length is not None:
            return rows.flatten(0, 1)
        return rows.flatten(0, 1).index_select(0, self._in_rectangle(tokens))

    def select(self, index: Tensor, tokens: int) -> tuple["Packing", Tensor]:
        """Take rows by their index, any of them more than once.

        Args:
            index: `[k]` int64, numbers of rows.
            tokens: how many tokens they have together.

        Returns:
            The packing of the chosen rows, and `[tokens]` int64: where each of their tokens is now.
        """
        chosen = Packing(cumulative=_cumulative(self.lengths[index]), longest=self.longest)
        row = chosen.row_of(tokens)
        shift = self.starts[index] - chosen.starts
        places = torch.arange(tokens, device=index.device) + shift[row]
        return chosen, places

    def followed_by(self, other: "Packing", tokens: int) -> "Packing":
        """Return these rows, which have `tokens` tokens together, and then those of another."""
        return Packing(
            cumulative=torch.cat((self.cumulative, other.cumulative[1:] + tokens)),
            longest=max(self.longest, other.longest),
        )

    def split(self, rows: Sequence[int], tokens: Sequence[int]) -> list["Packing"]:
        """Return the packings of consecutive parts: how many rows and tokens each of them has."""
        first_row = accumulate(rows, initial=0)
        first_token = accumulate(tokens, initial=0)
        return [
            replace(self, cumulative=self.cumulative.narrow(0, row, count + 1) - token)
            for row, count, token in zip(first_row, rows, first_token, strict=False)
        ]

    def _in_rectangle(self, tokens: int) -> Tensor:
        """Return `[tokens]` int64, the place of each token in flattened padded rows."""
        row = self.row_of(tokens)
        places = torch.arange(tokens, device=row.device)
        return places - self.starts[row] + row * self.longest


def join(
    first: Packing, second: Packing, tokens: tuple[int, int]
) -> tuple[Packing, Tensor, Tensor]:
    """Put each row of one packed stream in front of the same row of another.

    Args:
        first: rows of the stream in front.
        second: as many rows of the stream behind.
        tokens: all tokens of either stream.

    Returns:
        The packing of the joint rows, and where the tokens of either stream go, `[tokens]` int64.
    """
    joint = Packing(
        cumulative=first.cumulative + second.cumulative, longest=first.longest + second.longest
    )
    device = first.cumulative.device
    before, behind = first.row_of(tokens[0]), second.row_of(tokens[1])
    front = torch.arange(tokens[0], device=device) + second.starts[before]
    back = torch.arange(tokens[1], device=device) + first.cumulative[1:][behind]
    return joint, front, back


def _cumulative(lengths: Tensor) -> Tensor:
    ends = lengths.cumsum(0, dtype=torch.int32)
    return torch.cat((ends.new_zeros(1), ends))


pytree.register_dataclass(Packing, serialized_type_name="renaissance.Packing")
