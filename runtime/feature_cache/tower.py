"""A constant tower whose features are kept: it encodes what is missing."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from renaissance.compiler.batch import PartlyEncoded, PartlyEncodedTexts
from renaissance.compiler.model.features import Features, stacked
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.packing import Packing
from renaissance.runtime.feature_cache.grouping import grouped_images, grouped_texts
from renaissance.runtime.feature_cache.keeping import Keeper
from renaissance.runtime.feature_cache.store import FeatureStore

EncodeImages = Callable[[Tensor], Tensor]
EncodeTexts = Callable[[TextInput], Tensor]


class KnownTower:
    """Joins features that are known with those of inputs that are not, and keeps these.

    Args:
        store: where features are found.
        keeper: adds features to the store.

    Attributes:
        read: inputs whose features were read so far.
        computed: inputs whose features were computed.
        kept: those of them that were added to the store.
    """

    def __init__(self, store: FeatureStore, keeper: Keeper) -> None:
        """Count from 0."""
        self._store, self._keeper = store, keeper
        self.read = self.computed = self.kept = 0

    def _keep(
        self, contents: Sequence[bytes | None], features: Tensor, lengths: Sequence[int]
    ) -> None:
        self.computed += len(lengths)
        self.kept += self._keeper.keep(self._store, contents, features, lengths)


class KnownImageTower(KnownTower):
    """A tower of images.

    Args:
        encode: maps `[group, 3, height, width]` to `[group, tokens, width]`, in evaluation mode.
        store: where features are found.
        keeper: adds features to the store.
    """

    def __init__(self, encode: EncodeImages, store: FeatureStore, keeper: Keeper) -> None:
        """Count from 0."""
        super().__init__(store, keeper)
        self._encode = encode

    def __call__(self, images: PartlyEncoded) -> Features:
        """Encode images of which some are known: `[images, tokens, width]`."""
        known = self._known(images)
        self.read += sum(part.rows for part in known)
        if not len(images.pixels):
            return stacked(known)
        pixels = images.pixels
        groups = (pixels,) if isinstance(pixels, Tensor) else pixels.groups
        missing = [Features(tokens=grouped_images(self._encode, group)) for group in groups]
        flat = torch.cat([part.tokens.flatten(0, 1) for part in missing])
        lengths = [part.tokens.shape[1] for part in missing for _ in range(part.rows)]
        self._keep(images.contents, flat, lengths)
        return stacked([*missing, *known])

    def _known(self, images: PartlyEncoded) -> list[Features]:
        """Return what is known, each image alone where they differ in length."""
        if images.lengths is None:
            return [Features(tokens=images.features)] if len(images.features) else []
        parts = torch.split(images.features, list(images.lengths))
        return [Features(tokens=part[None]) for part in parts]


class KnownTextTower(KnownTower):
    """A tower of texts.

    Args:
        encode: maps padded texts to `[group, tokens, width]`, in evaluation mode.
        longest: most tokens of a text that it takes.
        store: where features are found.
        keeper: adds features to the store.
    """

    def __init__(
        self, encode: EncodeTexts, longest: int, store: FeatureStore, keeper: Keeper
    ) -> None:
        """Count from 0."""
        super().__init__(store, keeper)
        self._encode, self._longest = encode, longest

    def __call__(self, texts: PartlyEncodedTexts) -> Features:
        """Encode texts of which some are known: packed."""
        features, lengths = texts.features, texts.lengths
        packing = Packing(cumulative=texts.cumulative, longest=texts.longest)
        self.read += packing.rows - len(lengths)
        if lengths:
            missing = grouped_texts(self._encode, texts.input_ids, lengths, self._longest)
            self._keep(texts.contents, missing, lengths)
            features = torch.cat([missing, features])
        return Features(tokens=features, packing=packing)
