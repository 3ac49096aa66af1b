"""What data processes know about features: which inputs have some, and what they are."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from renaissance.runtime.feature_cache.content import ImageContents
from renaissance.runtime.feature_cache.ledger import KEY_BYTES
from renaissance.runtime.feature_cache.store import Entries, FeatureStore


class KnownImages:
    """Features of image files; a copy in each process that reads data.

    Args:
        contents: knows the content of files.
        store: of the tower.
    """

    def __init__(self, contents: ImageContents, store: FeatureStore) -> None:
        """Read nothing yet."""
        self._contents = contents
        self._store = store

    def digests(self, paths: Sequence[str | bytes]) -> list[bytes | None]:
        """Return the digest of each file, given by its path or itself; None where unreadable."""
        return self._contents.digests(paths)

    def holds(self, contents: Sequence[bytes | None]) -> np.ndarray:
        """Return `[n]` bool: which images have features that were written by now."""
        self._store.refresh()
        return np.array(
            [content is not None and self._store.holds(content) for content in contents], bool
        )

    def read(self, contents: Sequence[bytes | None]) -> Entries:
        """Return the undamaged features of images."""
        return self._store.read(contents)


class KnownTexts:
    """Features of unmasked texts; a copy in each process that reads data.

    Args:
        store: of the tower.
    """

    def __init__(self, store: FeatureStore) -> None:
        """Read nothing yet."""
        self._store = store

    def digests(self, texts: Iterable[np.ndarray]) -> list[bytes]:
        """Return the digest of each text, given as its tokens `[tokens]`, special ones included."""
        return [
            hashlib.blake2b(ids.astype("<i4").tobytes(), digest_size=KEY_BYTES).digest()
            for ids in texts
        ]

    def read(self, contents: Sequence[bytes]) -> Entries:
        """Return the features of texts that were written by now."""
        self._store.refresh()
        return self._store.read(contents)
