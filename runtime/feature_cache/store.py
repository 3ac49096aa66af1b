"""The features of one tower on disk, input by input, in files that are mapped into memory.

An entry is first written to a shard and then to the ledger, with a checksum of its bytes: what a
killed writer leaves is no entry, and what is damaged reads as absent. Entries have as many tokens
as their inputs, and stand at token offsets; none reaches from one shard into the next.
"""

import mmap
import os
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import xxhash
from torch import Tensor

from renaissance.runtime.feature_cache.ledger import Ledger, write_at

SHARD_BYTES = 1024**3
"""Most bytes of a file, where no entry alone has more."""

_VALUE = struct.Struct("<Q8s")
_TOKENS = 2**24
"""More than the tokens of any entry: an entry's offset and tokens are digits of one number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """What was read of a store.

    Attributes:
        found: `[n]` bool, which of the inputs that were asked for have an undamaged entry.
        lengths: `[found]` int64, tokens of each of those.
        tokens: `[tokens, width]`, their features, one after the other.
    """

    found: np.ndarray
    lengths: np.ndarray
    tokens: Tensor


class FeatureStore:
    """Reads and adds entries; processes may share a folder.

    Args:
        folder: of the tower.
        width: channels of a token.
        dtype: of its numbers.
    """

    def __init__(self, folder: Path, width: int, dtype: torch.dtype) -> None:
        """Read nothing yet."""
        self.folder = folder
        self.width = width
        self.dtype = dtype
        self.token_bytes = width * dtype.itemsize
        self._per_shard = max(SHARD_BYTES // self.token_bytes, 1)
        self._ledger = Ledger(folder / "ledger")
        self._next = 0
        self._maps: dict[int, mmap.mmap] = {}

    def __len__(self) -> int:
        """Return the number of entries as of the last `refresh`."""
        return len(self._ledger)

    def refresh(self) -> None:
        """Learn what was added by others; OSError if the ledger cannot be read."""
        for value in self._ledger.refresh():
            start, tokens, _ = _unpacked(value)
            self._next = max(self._next, start + tokens)

    def holds(self, content: bytes) -> bool:
        """Tell whether there is an entry for the content of an input, whole or damaged."""
        return self._ledger.get(content) is not None

    def read(self, contents: Sequence[bytes | None]) -> Entries:
        """Read the entries of inputs, given by their digests; None for an input without."""
        wanted = [
            (place, *_unpacked(value))
            for place, content in enumerate(contents)
            if content is not None and (value := self._ledger.get(content)) is not None
        ]
        found = np.zeros(len(contents), bool)
        lengths: list[int] = []
        buffer = torch.empty(
            sum(tokens for _, _, tokens, _ in wanted) * self.token_bytes, dtype=torch.uint8
        )
        copied, filled = buffer.numpy(), 0
        shards: dict[int, mmap.mmap | None] = {}
        for place, start, tokens, check in wanted:
            shard, offset = self._place(start)
            size = tokens * self.token_bytes
            if shard not in shards:
                shards[shard] = self._map(shard)
            view = shards[shard]
            if view is None or offset + size > len(view):
                continue
            # The checksum is that of the copy: nobody can change it any more.
            copy = copied[filled : filled + size]
            copy[:] = np.frombuffer(view, np.uint8)[offset : offset + size]
            if xxhash.xxh3_64_digest(copy.data) == check:
                found[place] = True
                lengths.append(tokens)
                filled += size
        return Entries(
            found=found,
            lengths=np.array(lengths, np.int64),
            tokens=buffer[:filled].view(self.dtype).view(-1, self.width),
        )

    def add(self, contents: Sequence[bytes], features: Tensor, lengths: Sequence[int]) -> None:
        """Add entries; the caller holds the lock of all writers and has refreshed.

        Args:
            contents: digests of distinct inputs.
            features: `[tokens, width]`, on the CPU, of one input after the other.
            lengths: tokens of each input.

        Raises:
            OSError: if they cannot be written; those that were added before are whole.
        """
        data = features.contiguous().view(torch.uint8).flatten().numpy()
        added: list[tuple[bytes, bytes]] = []
        starts: list[int] = []
        free, done = self._next, 0
        try:
            for content, tokens in zip(contents, lengths, strict=True):
                entry = data[done : done + tokens * self.token_bytes]
                starts.append(self._start(free, tokens))
                self._write(starts[-1], entry)
                value = starts[-1] * _TOKENS + tokens, xxhash.xxh3_64_digest(entry.data)
                added.append((content, _VALUE.pack(*value)))
                free, done = starts[-1] + tokens, done + len(entry)
            self._ledger.append(added)
        except OSError:
            self._give_back(starts)
            raise
        self._next = free

    def _start(self, free: int, tokens: int) -> int:
        """Return where an entry goes: the first free place, or the next shard if it ends before.

        What is longer than a shard has one of its own, and the place behind it is in a later one.
        """
        left = self._per_shard - free % self._per_shard
        return free if tokens <= left or left == self._per_shard else free + left

    def _place(self, start: int) -> tuple[int, int]:
        shard, token = divmod(start, self._per_shard)
        return shard, token * self.token_bytes

    def _path(self, shard: int) -> Path:
        return self.folder / f"{shard:06d}.features"

    def _write(self, start: int, entry: np.ndarray) -> None:
        shard, offset = self._place(start)
        descriptor = os.open(self._path(shard), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            write_at(descriptor, entry.data, offset)
        finally:
            os.close(descriptor)

    def _give_back(self, starts: Iterable[int]) -> None:
        """Return the space behind places that have not become entries, as far as possible."""
        for start in starts:
            shard, offset = self._place(start)
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


def _unpacked(value: bytes) -> tuple[int, int, bytes]:
    """Return where an entry starts, how many tokens it has, and its checksum."""
    number, check = _VALUE.unpack(value)
    return *divmod(number, _TOKENS), check
