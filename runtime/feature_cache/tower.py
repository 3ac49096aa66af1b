"""A constant tower whose features are kept: it encodes what is missing."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from renaissance.compiler.batch import PartlyEncoded, PartlyEncodedTexts
from renaissance.compiler.model.features import Features
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
        features = images.features
        self.read += len(features)
        if len(images.pixels):
            missing = grouped_images(self._encode, images.pixels)
            self._keep(images.contents, missing.flatten(0, 1), [missing.shape[1]] * len(missing))
            features = torch.cat([missing, features]) if len(features) else missing
        return Features(tokens=features)


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
