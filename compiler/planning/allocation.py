"""Bytes that live at one time while tensors without contents are computed."""

import weakref
from collections.abc import Iterable
from typing import Any

from torch import Tensor
from torch.utils import _pytree as pytree


class Allocation:
    """Follows storages from the operation that made them to the last tensor that holds them.

    `live` counts bytes now, `peak` the most of them at any time. What is `known` beforehand counts
    nothing.

    Args:
        known: tensors whose storages are there already.
    """

    def __init__(self, known: Iterable[Tensor]) -> None:
        self.live = 0
        self.peak = 0
        # By identity: a storage has one Python object for as long as it lives.
        self._sizes: dict[int, int] = {}
        for tensor in known:
            self._add(tensor, 0)

    def note(self, result: Any) -> None:
        """Take up the tensors of an operation's result."""
        for tensor in pytree.tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._add(tensor, tensor.untyped_storage().nbytes())

    def _add(self, tensor: Tensor, size: int) -> None:
        storage = tensor.untyped_storage()
        if id(storage) in self._sizes:
            return
        self._sizes[id(storage)] = size
        weakref.finalize(storage, self._free, id(storage)).atexit = False
        self.live += size
        self.peak = max(self.peak, self.live)

    def _free(self, identity: int) -> None:
        self.live -= self._sizes.pop(identity)
