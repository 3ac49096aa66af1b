"""A file that only grows: which key has which value, readable while others write.

A record has a checksum of its own. What a killed writer left unfinished is shorter than a record;
readers pass over it and the next writer puts its own records there.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import xxhash

KEY_BYTES = VALUE_BYTES = 16
RECORD_BYTES = KEY_BYTES + VALUE_BYTES + 8


class Ledger:
    """Keys and values of 16 bytes; of several values of a key the last one counts.

    Args:
        path: of the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self._known: dict[bytes, bytes] = {}
        self._read = 0

    def __len__(self) -> int:
        """Return the number of keys that are known."""
        return len(self._known)

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key as of the last `refresh`."""
        return self._known.get(key)

    def refresh(self) -> list[bytes]:
        """Read what was written since the last time, by whomever.

        Returns:
            The values that came in.

        Raises:
            OSError: if the file is there and cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._read:
                    # Somebody removed it and began anew.
                    self._known.clear()
                    self._read = 0
                file.seek(self._read)
                tail = file.read()
        except FileNotFoundError:
            return []
        values = []
        whole = len(tail) - len(tail) % RECORD_BYTES
        for start in range(0, whole, RECORD_BYTES):
            body = tail[start : start + KEY_BYTES + VALUE_BYTES]
            check = tail[start + KEY_BYTES + VALUE_BYTES : start + RECORD_BYTES]
            if xxhash.xxh3_64_digest(body) == check:
                self._known[body[:KEY_BYTES]] = body[KEY_BYTES:]
                values.append(body[KEY_BYTES:])
        self._read += whole
        return values

    def append(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        """Write pairs behind the last whole record; the caller holds the lock of all writers.

        Raises:
            OSError: if they cannot be written; records that were written whole count.
        """
        records = b"".join(key + value + xxhash.xxh3_64_digest(key + value) for key, value in pairs)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            write_at(descriptor, memoryview(records), size - size % RECORD_BYTES)
        finally:
            os.close(descriptor)
        self.refresh()


def write_at(descriptor: int, data: memoryview, offset: int) -> None:
    """Write all of `data` at a place of a file; OSError if that is not possible."""
    while len(data):
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written
