"""What data processes know about features: which images have some, and what they are."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from renaissance.runtime.features.content import ImageContents
from renaissance.runtime.features.store import FeatureStore


class KnownFeatures:
    """Features of image files; a copy in each process that reads data.

    Args:
        contents: knows the content of files.
        store: of the tower.
    """

    def __init__(self, contents: ImageContents, store: FeatureStore) -> None:
        """Read nothing yet."""
        self._contents = contents
        self._store = store

    def digests(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return the digest of each file's content; None for one that cannot be read."""
        return self._contents.digests(paths)

    def holds(self, contents: Sequence[bytes | None]) -> np.ndarray:
        """Return `[n]` bool: which images have features that were written by now."""
        self._store.refresh()
        return np.array(
            [content is not None and self._store.holds(content) for content in contents], bool
        )

    def read(self, contents: Sequence[bytes | None]) -> tuple[np.ndarray, Tensor]:
        """Return `[n]` bool, which images have undamaged features, and `[known, tokens, width]`."""
        return self._store.read(contents)
