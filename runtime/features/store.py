"""The features of one tower on disk, image by image, in files that are mapped into memory.

An entry is first written to a shard and then to the ledger, with a checksum of its bytes: what a
killed writer leaves is no entry, and what is damaged reads as absent.
"""

import mmap
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
import xxhash
from torch import Tensor

from renaissance.runtime.features.ledger import Ledger, write_at

SHARD_BYTES = 1024**3
"""Most bytes of a file."""

_VALUE = struct.Struct("<Q8s")


class FeatureStore:
    """Reads and adds entries; processes may share a folder.

    Args:
        folder: of the tower.
        shape: tokens and channels of an entry.
        dtype: of its numbers.
    """

    def __init__(self, folder: Path, shape: tuple[int, int], dtype: torch.dtype) -> None:
        """Read nothing yet."""
        self.folder = folder
        self.shape = shape
        self.dtype = dtype
        self.entry_bytes = shape[0] * shape[1] * dtype.itemsize
        self._per_shard = max(SHARD_BYTES // self.entry_bytes, 1)
        self._ledger = Ledger(folder / "ledger")
        self._next = 0
        self._maps: dict[int, mmap.mmap] = {}

    def __len__(self) -> int:
        """Return the number of entries as of the last `refresh`."""
        return len(self._ledger)

    def refresh(self) -> None:
        """Learn what was added by others; OSError if the ledger cannot be read."""
        for value in self._ledger.refresh():
            self._next = max(self._next, _VALUE.unpack(value)[0] + 1)

    def holds(self, content: bytes) -> bool:
        """Tell whether there is an entry for the content of an image, whole or damaged."""
        return self._ledger.get(content) is not None

    def read(self, contents: Sequence[bytes | None]) -> tuple[np.ndarray, Tensor]:
        """Read entries.

        Args:
            contents: digests of images; None for one without.

        Returns:
            `[n]` bool, which of them have an undamaged entry; and those `[found, tokens, width]`.
        """
        found = np.zeros(len(contents), bool)
        buffer = torch.empty(len(contents), self.entry_bytes, dtype=torch.uint8)
        rows, count = buffer.numpy(), 0
        shards: dict[int, mmap.mmap | None] = {}
        for place, content in enumerate(contents):
            value = None if content is None else self._ledger.get(content)
            if value is None:
                continue
            slot, check = _VALUE.unpack(value)
            shard, offset = self._place(slot)
            if shard not in shards:
                shards[shard] = self._map(shard)
            view = shards[shard]
            if view is None or offset + self.entry_bytes > len(view):
                continue
            # The checksum is that of the copy: nobody can change it any more.
            rows[count] = np.frombuffer(view, np.uint8, self.entry_bytes, offset)
            if xxhash.xxh3_64_digest(rows[count].data) == check:
                found[place] = True
                count += 1
        return found, buffer[:count].view(self.dtype).view(count, *self.shape)

    def add(self, contents: Sequence[bytes], features: Tensor) -> None:
        """Add entries; the caller holds the lock of all writers and has refreshed.

        Args:
            contents: digests of distinct images.
            features: `[n, tokens, width]`, on the CPU.

        Raises:
            OSError: if they cannot be written; those that were added before are whole.
        """
        rows = features.contiguous().view(torch.uint8).reshape(len(contents), -1).numpy()
        added: list[tuple[bytes, bytes]] = []
        try:
            for content, row in zip(contents, rows, strict=True):
                slot = self._next + len(added)
                self._write(slot, row)
                added.append((content, _VALUE.pack(slot, xxhash.xxh3_64_digest(row.data))))
            self._ledger.append(added)
        except OSError:
            self._give_back(range(self._next, self._next + len(added) + 1))
            raise
        self._next += len(added)

    def _place(self, slot: int) -> tuple[int, int]:
        shard, number = divmod(slot, self._per_shard)
        return shard, number * self.entry_bytes

    def _path(self, shard: int) -> Path:
        return self.folder / f"{shard:06d}.features"

    def _write(self, slot: int, row: np.ndarray) -> None:
        shard, offset = self._place(slot)
        descriptor = os.open(self._path(shard), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            write_at(descriptor, row.data, offset)
        finally:
            os.close(descriptor)

    def _give_back(self, slots: range) -> None:
        """Return the space of slots that have not become entries, as far as that is possible."""
        for slot in reversed(slots):
            shard, offset = self._place(slot)
            with suppress(OSError):
                if self._path(shard).stat().st_size > offset:
                    os.truncate(self._path(shard), offset)

    def _map(self, shard: int) -> mmap.mmap | None:
        """Return the file of a shard as it is now; None if there is none.

        What a map shows behind the end of a file that became shorter cannot be touched.
        """
        try:
            with self._path(shard).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                known = self._maps.get(shard)
                if known is None or len(known) != size:
                    known = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
                    self._maps[shard] = known
        except (OSError, ValueError):
            return None
        return known

    def __getstate__(self) -> dict[str, object]:
        """Pickle without maps, for worker processes that are not forked."""
        return self.__dict__ | {"_maps": {}}
