"""Adding features to those on disk, within a limit, and going on where that fails."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor

from renaissance.runtime.features.folder import remove_oldest, use, used_bytes, writing
from renaissance.runtime.features.ledger import RECORD_BYTES
from renaissance.runtime.features.store import FeatureStore

Tell = Callable[[str], None]


class Keeper:
    """Adds entries to a store until the limit is reached or the disk refuses.

    Args:
        root: folder of all features.
        key: of the tower; its folder is made and protected from removal until `close`.
        limit: most bytes of everything in `root`.
        tell: is told once, in a sentence, why nothing is added any more.

    Raises:
        OSError: if the folder cannot be written to.
    """

    def __init__(self, root: Path, key: str, limit: int, tell: Tell) -> None:
        """Protect the folder."""
        self._root, self._key, self._limit, self._tell = root, key, limit, tell
        self._protection = use(root, key)
        self._adds = True

    def keep(self, store: FeatureStore, contents: Sequence[bytes | None], features: Tensor) -> int:
        """Add what is not there yet, or is damaged.

        Args:
            store: of the tower.
            contents: digests of images; None for one that has none.
            features: `[n, tokens, width]` of the same images.

        Returns:
            How many were added.
        """
        if not self._adds:
            return 0
        try:
            with writing(self._root):
                store.refresh()
                present, _ = store.read(contents)
                places = {
                    content: place
                    for place, content in enumerate(contents)
                    if content is not None and not present[place]
                }
                room = self._room(store.entry_bytes + RECORD_BYTES, len(places))
                chosen = list(places.items())[:room]
                if chosen:
                    rows = [place for _, place in chosen]
                    store.add([content for content, _ in chosen], features[rows].cpu())
        except OSError as problem:
            reason = problem.strerror or str(problem)
            self._stop(f"`{self._root}` cannot be written to ({reason.lower()})")
            return 0
        if room < len(places):
            self._stop("`cache_limit` is reached")
        return len(chosen)

    def close(self) -> None:
        """Let others remove the folder when they need its space."""
        os.close(self._protection)

    def _room(self, size: int, wanted: int) -> int:
        """Return how many entries of `size` bytes fit, once older towers have made room."""
        room = (self._limit - used_bytes(self._root)) // size
        while room < wanted and remove_oldest(self._root, self._key):
            room = (self._limit - used_bytes(self._root)) // size
        return max(min(room, wanted), 0)

    def _stop(self, reason: str) -> None:
        self._adds = False
        self._tell(f"no more features are kept: {reason}; the others are computed each time")
