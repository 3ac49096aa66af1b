"""The vectors of earlier steps, with which those of the present one are compared."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from renaissance.compiler.comparing import Rows
from renaissance.runtime.errors import CheckpointError

_PARTS = ("text", "image", "text_number", "image_number")


class KeyQueue:
    """A ring of the last texts and images, as vectors and as what the data call them.

    It is empty at first and fills with the first steps. Source: He et al. 2020, Momentum Contrast,
    section 3.2, where it starts with random vectors.

    Args:
        size: texts, and as many images, that it has room for.
    """

    def __init__(self, size: int) -> None:
        """Begin with none."""
        self._size = size
        self._ring: dict[str, Tensor] = {}  # [size, width] of vectors, [size] int64 of numbers
        self._filled = 0
        self._next = 0

    def behind(self, rows: Rows) -> Rows:
        """Return rows with all that is remembered behind them."""
        if not self._filled:
            return rows
        text, image, text_number, image_number = (self._ring[p][: self._filled] for p in _PARTS)
        truth = replace(
            rows.truth, text=text_number, image=image_number, pairs=rows.truth.pairs.new_empty(0)
        )
        return Rows.joined((rows, replace(rows, text=text, image=image, truth=truth)))

    @torch.no_grad()
    def add(self, rows: Rows) -> None:
        """Remember rows in the place of the oldest."""
        if not self._size:
            return
        new = dict(
            zip(_PARTS, (rows.text, rows.image, rows.truth.text, rows.truth.image), strict=True)
        )
        if not self._ring:
            self._ring = {
                n: part.new_zeros((self._size, *part.shape[1:])) for n, part in new.items()
            }
        places = torch.arange(self._next, self._next + rows.rows, device=rows.text.device)
        for name, part in new.items():
            self._ring[name].index_copy_(0, places % self._size, part)
        self._next = (self._next + rows.rows) % self._size
        self._filled = min(self._filled + rows.rows, self._size)

    def state(self) -> dict[str, Tensor]:
        """Return what is remembered, in the order in which it lies, and the place of the next."""
        filled = {name: part[: self._filled].clone() for name, part in self._ring.items()}
        return {**filled, "next": torch.tensor(self._next)} if filled else {}

    def load(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        """Take up what `state` returned.

        Raises:
            CheckpointError: if it is not of such a queue.
        """
        if not state:
            return
        parts = {name: part.to(device) for name, part in state.items() if name != "next"}
        filled = {len(part) for part in parts.values()}
        if parts.keys() != set(_PARTS) or "next" not in state or len(filled) != 1:
            raise CheckpointError("its queue of vectors is not whole")
        self._filled, self._next = filled.pop(), int(state["next"])
        if self._filled > self._size:
            raise CheckpointError(f"its queue has {self._filled} vectors, not {self._size}")
        self._ring = {n: part.new_zeros((self._size, *part.shape[1:])) for n, part in parts.items()}
        for name, part in parts.items():
            self._ring[name][: self._filled] = part
