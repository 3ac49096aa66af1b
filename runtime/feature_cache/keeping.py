"""Adding features to those on disk, within a limit, and going on where that fails."""

import os
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

import torch
from torch import Tensor

from renaissance.runtime.feature_cache.folder import remove_oldest, use, used_bytes, writing
from renaissance.runtime.feature_cache.ledger import RECORD_BYTES
from renaissance.runtime.feature_cache.store import FeatureStore

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

    def keep(
        self,
        store: FeatureStore,
        contents: Sequence[bytes | None],
        features: Tensor,
        lengths: Sequence[int],
    ) -> int:
        """Add what is not there yet, or is damaged.

        Args:
            store: of the tower.
            contents: digests of inputs; None for one that has none.
            features: `[tokens, width]` of one input after the other.
            lengths: tokens of each input.

        Returns:
            How many were added.
        """
        if not self._adds:
            return 0
        try:
            with writing(self._root):
                store.refresh()
                present = store.read(contents).found
                places = {
                    content: place
                    for place, content in enumerate(contents)
                    if content is not None and not present[place]
                }
                sizes = [
                    lengths[place] * store.token_bytes + RECORD_BYTES for place in places.values()
                ]
                room = self._room(sizes)
                chosen = list(places.items())[:room]
                if chosen:
                    parts = torch.split(features, list(lengths))
                    store.add(
                        [content for content, _ in chosen],
                        torch.cat([parts[place] for _, place in chosen]).cpu(),
                        [lengths[place] for _, place in chosen],
                    )
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

    def _room(self, sizes: Sequence[int]) -> int:
        """Return how many entries of `sizes` bytes fit, once older towers have made room."""
        free = self._limit - used_bytes(self._root)
        while free < sum(sizes) and remove_oldest(self._root, self._key):
            free = self._limit - used_bytes(self._root)
        return sum(end <= free for end in accumulate(sizes))

    def _stop(self, reason: str) -> None:
        self._adds = False
        self._tell(f"no more features are kept: {reason}; the others are computed each time")
