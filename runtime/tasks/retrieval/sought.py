"""The images and texts that a search is among."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from renaissance.compiler.model.features import Features
from renaissance.compiler.model.packing import Packing
from renaissance.runtime.data import JobData


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The images and texts of a split.

    Attributes:
        rows: `[texts]` int64: its captions as rows of the table, by image.
        names: of the images.
        ids: of the captions.
        starts: `[images + 1]` int64: where the captions of each image start.
        distinct: `[texts]` int64: captions of the same tokens have the same number, so that they
            have the same score.
        first: `[distinct]` int64: the place of one caption of each number, shortest first.
    """

    rows: np.ndarray
    names: list[str]
    ids: list[int]
    starts: np.ndarray
    distinct: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, data: JobData, split: str) -> "Sought":
        """Look at what a split has."""
        part = data.part(split)
        entry = part.table.column("entry").to_numpy()[part.rows]
        rows = part.rows[np.argsort(entry, kind="stable")]
        entry = part.table.column("entry").to_numpy()[rows]
        first = np.flatnonzero(np.diff(entry, prepend=-1))
        names = part.table.column("image_name").to_pylist()
        tokens = data.tokens(split)
        numbers: dict[bytes, int] = {}
        spelled = [tokens.of(row).tobytes() for row in rows.tolist()]
        distinct = np.array([numbers.setdefault(text, len(numbers)) for text in spelled])
        place = np.unique(distinct, return_index=True)[1]
        order = np.argsort(tokens.lengths_of(rows[place]), kind="stable")
        return cls(
            rows=rows,
            names=[names[row] for row in rows[first].tolist()],
            ids=part.table.column("id").to_numpy()[rows].tolist(),
            starts=np.append(first, len(rows)),
            distinct=np.argsort(order)[distinct],
            first=place[order],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Distinct texts, one behind the other, in memory.

    Attributes:
        tokens: `[tokens, width]`; none where they are not joined with images.
        lengths: `[texts]` int64, of each.
        vectors: `[texts, width]` on the device, what each is compared by; None where nothing is.
    """

    tokens: Tensor
    lengths: Tensor
    vectors: Tensor | None

    def take(self, chosen: np.ndarray, device: torch.device) -> Features:
        """Return some of them, `[n]` int64, packed, on a device."""
        index = torch.from_numpy(chosen)
        tokens = int(self.lengths[index].sum())
        packing = Packing(cumulative=_cumulative(self.lengths), longest=int(self.lengths.max()))
        taken, places = packing.select(index, tokens)
        longest = int(self.lengths[index].max())
        return Features(
            tokens=self.tokens.index_select(0, places).to(device),
            packing=Packing(cumulative=taken.cumulative.to(device), longest=longest),
        )


def _cumulative(lengths: Tensor) -> Tensor:
    ends = lengths.cumsum(0).to(torch.int32)
    return torch.cat([ends.new_zeros(1), ends])
