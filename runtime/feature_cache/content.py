"""What image files hold, as digests: a file is read once, and again only if it changes."""

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from renaissance.runtime.crops import Box, whole_and_box
from renaissance.runtime.feature_cache.folder import used_bytes, writing
from renaissance.runtime.feature_cache.ledger import KEY_BYTES, RECORD_BYTES, VALUE_BYTES, Ledger
from renaissance.runtime.regular_file import LARGEST, regular_file

FRESH_NANOSECONDS = 2 * 10**9
"""A file this young may change once more without its time of change telling."""


class ImageContents:
    """Digests of image files, remembered by path, size and time of change, across runs.

    Args:
        root: folder of all features, where the memory is kept.
        limit: most bytes of everything in `root`.
        largest: most bytes of a file; a larger one is taken for none.
    """

    def __init__(self, root: Path, limit: int, largest: int = LARGEST) -> None:
        """Read nothing yet."""
        self._root, self._limit, self._largest = root, limit, largest
        self._ledger = Ledger(root / "images")
        self._writable = True

    def digests(self, paths: Sequence[str | bytes]) -> list[bytes | None]:
        """Return 16 bytes for the content of each file; None for one that cannot be read.

        Args:
            paths: of files, or the files themselves.
        """
        found: list[bytes | None] = []
        fresh: list[tuple[bytes, bytes]] = []
        self._refresh()
        for path in paths:
            if isinstance(path, bytes):
                found.append(hashlib.blake2b(path, digest_size=VALUE_BYTES).digest())
                continue
            path, box = whole_and_box(path)
            try:
                status = Path(path).stat()
                key = _key(path, status)
                known = self._ledger.get(key)
                if known is None:
                    with regular_file(path, self._largest) as file:
                        known = hashlib.file_digest(file, _content).digest()
                    if time.time_ns() - status.st_mtime_ns > FRESH_NANOSECONDS:
                        fresh.append((key, known))
            # A ValueError is a path that can be none, such as one with a zero byte.
            except (OSError, ValueError):
                known = None
            found.append(known if known is None or box is None else _of_part(known, box))
        if fresh and self._writable:
            self._remember(fresh)
        return found

    def _refresh(self) -> None:
        try:
            self._ledger.refresh()
        except OSError:
            self._writable = False

    def _remember(self, pairs: list[tuple[bytes, bytes]]) -> None:
        try:
            with writing(self._root):
                room = (self._limit - used_bytes(self._root)) // RECORD_BYTES
                self._ledger.append(pairs[: max(room, 0)])
        except OSError:
            # Files are read again in the next run; whoever keeps features says that nothing can
            # be written.
            self._writable = False


def _of_part(content: bytes, box: Box) -> bytes:
    """Return the digest of a part of an image with the digest `content`."""
    return hashlib.blake2b(content + repr(box).encode(), digest_size=VALUE_BYTES).digest()


def _content() -> "hashlib._Hash":
    return hashlib.blake2b(digest_size=VALUE_BYTES)  # type: ignore[return-value]


def _key(path: str, status: os.stat_result) -> bytes:
    told = f"{Path(path).absolute()}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}"
    return hashlib.blake2b(os.fsencode(told), digest_size=KEY_BYTES).digest()
