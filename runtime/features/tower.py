"""A constant tower whose features are kept: it encodes what is missing."""

from collections.abc import Callable

import torch
from torch import Tensor

from renaissance.compiler.features import Features
from renaissance.runtime.data.batch import PartlyEncoded
from renaissance.runtime.features.keeping import Keeper
from renaissance.runtime.features.store import FeatureStore

GROUPS = {"cpu": 4, "cuda": 32}
"""Images that are encoded together, by device."""

Encode = Callable[[Tensor], Tensor]


def grouped(encode: Encode, pixels: Tensor) -> Tensor:
    """Encode images in groups of one fixed size, the last one filled up.

    The last bits of a product depend on how many rows it has. In groups of one size the features
    of an image are the same whatever else is missing: it does not matter when they were computed,
    by which process, or after how many restarts.

    Args:
        encode: maps `[group, 3, height, width]` to `[group, tokens, width]`.
        pixels: `[n, 3, height, width]`, one image at least.

    Returns:
        `[n, tokens, width]`. Under autocast in its type, to which the projection behind the tower
        would round them in any case.
    """
    group = GROUPS.get(pixels.device.type, GROUPS["cuda"])
    lacking = -len(pixels) % group
    filled = torch.cat([pixels, pixels[:1].expand(lacking, -1, -1, -1)]) if lacking else pixels
    with torch.no_grad():
        tokens = torch.cat([encode(part) for part in torch.split(filled, group)])[: len(pixels)]
    if torch.is_autocast_enabled(pixels.device.type):
        return tokens.to(torch.get_autocast_dtype(pixels.device.type))
    return tokens


class KnownTower:
    """Joins features that are known with those of images that are not, and keeps these.

    Args:
        encode: the tower, in evaluation mode.
        store: where features are found.
        keeper: adds features to the store.

    Attributes:
        read: images whose features were read so far.
        computed: images whose features were computed.
        kept: those of them that were added to the store.
    """

    def __init__(self, encode: Encode, store: FeatureStore, keeper: Keeper) -> None:
        """Count from 0."""
        self._encode, self._store, self._keeper = encode, store, keeper
        self.read = self.computed = self.kept = 0

    def __call__(self, images: PartlyEncoded) -> Features:
        """Encode images of which some are known: `[images, tokens, width]`."""
        known = images.features
        self.read += len(known)
        if not len(images.pixels):
            return Features(tokens=known.index_select(0, images.order))
        missing = grouped(self._encode, images.pixels)
        self.computed += len(missing)
        self.kept += self._keeper.keep(self._store, images.contents, missing)
        tokens = torch.cat([missing, known]) if len(known) else missing
        return Features(tokens=tokens.index_select(0, images.order))
