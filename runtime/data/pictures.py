"""What the streams of a model read of the images of a table."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from renaissance.runtime.data.images import Images
from renaissance.runtime.data.regions import RegionFiles
from renaissance.runtime.data.streams import ImageNeeds, Showing
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.unreadable import UnreadableImages
from renaissance.runtime.feature_cache.known import KnownImages


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Pixels and regions of the images of a table, each read once whatever streams ask for it.

    Attributes:
        readers: by name of the stream; streams that read the same share one.
        place: which of the images of a pair a stream reads, by its name.
        unreadable: what could not be read by this process.
    """

    readers: Mapping[str, Images | RegionFiles]
    place: Mapping[str, int]
    unreadable: UnreadableImages

    @classmethod
    def of(
        cls,
        table: Table,
        streams: Mapping[str, Showing],
        *,
        room: int,
        features: KnownImages | None = None,
    ) -> "Pictures":
        """Prepare to read; no file is opened yet.

        Args:
            table: whose images these are.
            streams: what each stream reads, by its name.
            room: bytes that may be kept in memory.
            features: of images that need no decoding.
        """
        unreadable = UnreadableImages(table)
        made: dict[object, Images | RegionFiles] = {}
        for showing in streams.values():
            needs = showing.needs
            if needs in made:
                continue
            if isinstance(needs, ImageNeeds):
                made[needs] = Images(
                    table,
                    needs.size,
                    needs.resize,
                    blank=needs.blank,
                    cache_bytes=room,
                    features=features,
                    unreadable=unreadable,
                )
            else:
                made[needs] = RegionFiles(table, needs, cache_bytes=room, unreadable=unreadable)
            room -= made[needs].cache_bytes
        return cls(
            readers={name: made[showing.needs] for name, showing in streams.items()},
            place={name: showing.image for name, showing in streams.items()},
            unreadable=unreadable,
        )

    @property
    def distinct(self) -> tuple[Images | RegionFiles, ...]:
        """The readers, each once."""
        return tuple({id(reader): reader for reader in self.readers.values()}.values())

    @property
    def cache_bytes(self) -> int:
        """Memory that is taken when all has been read that is kept."""
        return sum(reader.cache_bytes for reader in self.distinct)

    def use_features(self, features: KnownImages | None) -> None:
        """Let batches hold features of images where there are some, from now on."""
        for reader in self.distinct:
            if isinstance(reader, Images):
                reader.features = features

    def readable(self, images: np.ndarray) -> np.ndarray:
        """Return `[n]` bool: of which images `[n]` all can be read that some stream reads.

        Raises:
            DataError: if more images are unreadable than may be.
        """
        found: np.ndarray = np.logical_and.reduce(
            [reader.readable(images) for reader in self.distinct]
        )
        return found

    def release(self) -> None:
        """Forget what is held for a step, where there is no room for all."""
        for reader in self.distinct:
            reader.release()
