"""The images of a table: read when needed, kept when there is room."""

import mmap

import numpy as np
from torch import Tensor

from renaissance.runtime.data.decode import UnreadableImageError, read_image
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.resize import Resize
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.unreadable import UnreadableImages
from renaissance.runtime.features.known import KnownImages
from renaissance.runtime.features.ledger import KEY_BYTES as CONTENT_BYTES

CACHE_BYTES = 2 * 1024**3
"""A table whose decoded images take no more than this keeps them all in memory."""

UNKNOWN, READABLE, UNREADABLE = 0, 1, 2


class Images:
    """Decoded images by their number in a table.

    Small sets are kept in memory that forked worker processes share: whoever reads an image first
    reads it for all. Of larger sets only the images of the current step are held.

    Attributes:
        size: height and width in pixels.
        resize: how images become square.
        unreadable: what could not be read by this process.
        features: of images that need no decoding; None where all are decoded.
    """

    def __init__(
        self,
        table: Table,
        size: int,
        resize: Resize,
        *,
        cache_bytes: int = CACHE_BYTES,
        features: KnownImages | None = None,
    ) -> None:
        """Prepare to read; no file is opened yet."""
        self.features = features
        self.size = size
        self.resize = resize
        self.unreadable = UnreadableImages(table)
        self._table = table
        self._count = len(table.images)
        self._cached = self._count * 3 * size * size <= cache_bytes
        self._allocate()

    def _allocate(self) -> None:
        self._state = np.frombuffer(mmap.mmap(-1, self._count), np.uint8)
        self._contents = np.frombuffer(mmap.mmap(-1, self._count * CONTENT_BYTES), np.uint8)
        self._contents = self._contents.reshape(self._count, CONTENT_BYTES)
        self._held: dict[int, np.ndarray] = {}
        self._cache: np.ndarray | None = None
        if self._cached:
            # An anonymous map takes memory only where it was written to.
            shape = (self._count, 3, self.size, self.size)
            self._cache = np.frombuffer(mmap.mmap(-1, int(np.prod(shape))), np.uint8).reshape(shape)

    def readable(self, images: np.ndarray) -> np.ndarray:
        """Read what is not known yet.

        Args:
            images: `[n]` numbers of images.

        Returns:
            `[n]` bool, False where an image is missing or damaged.

        Raises:
            DataError: if more images are unreadable than may be.
        """
        known = self._known(images)
        rest = images[~known]
        for image in np.unique(rest[self._state[rest] != READABLE]).tolist():
            self._read(image)
        if self._cache is None:
            for image in rest[self._state[rest] == READABLE].tolist():
                if image not in self._held:
                    self._read(image)
        readable: np.ndarray = known | (self._state[images] == READABLE)
        return readable

    def encoded(self, images: np.ndarray) -> tuple[np.ndarray, Tensor, list[bytes | None]]:
        """Return what is known of images that `readable` found to be so, and decode the others.

        Args:
            images: `[n]` numbers of distinct images.

        Returns:
            `[n]` bool, which of them are known; features of those, `[known, tokens, width]`; the
            digest of the file of each image.

        Raises:
            DataError: if an image that was readable no longer is.
        """
        assert self.features is not None
        contents = self._digests(images)
        known, features = self.features.read(contents)
        for image in images[~known].tolist():
            if self._state[image] != READABLE or (self._cache is None and image not in self._held):
                self._read(image)
            if self._state[image] != READABLE:
                raise DataError(f"`{self._table.path(image)}` can no longer be read")
        return known, features, contents

    def pixels(self, images: np.ndarray) -> np.ndarray:
        """Return `[n, 3, size, size]` uint8 of images that `readable` found to be so."""
        if self._cache is not None:
            kept: np.ndarray = self._cache[images]
            return kept
        return np.stack([self._held[image] for image in images.tolist()])

    def release(self) -> None:
        """Forget the images of a step, where there is no room for all."""
        self._held.clear()

    def _known(self, images: np.ndarray) -> np.ndarray:
        """Return `[n]` bool: which images have features, so that nobody needs their pixels."""
        if self.features is None:
            return np.zeros(len(images), bool)
        return self.features.holds(self._digests(images))

    def _digests(self, images: np.ndarray) -> list[bytes | None]:
        """Return the digest of each image's file; an image is taken to stay the same in a job."""
        assert self.features is not None
        new = np.unique(images[~self._contents[images].any(axis=1)]).tolist()
        if new:
            found = self.features.digests([self._table.path(image) for image in new])
            for image, content in zip(new, found, strict=True):
                if content is not None:
                    self._contents[image] = np.frombuffer(content, np.uint8)
        return [content.tobytes() if content.any() else None for content in self._contents[images]]

    def _read(self, image: int) -> None:
        try:
            if self._state[image] == UNREADABLE and image in self.unreadable:
                return
            pixels = read_image(self._table.path(image), self.size, self.resize)
        except UnreadableImageError as problem:
            self._state[image] = UNREADABLE
            self.unreadable.add(image, str(problem))
            return
        if self._cache is not None:
            self._cache[image] = pixels
        else:
            self._held[image] = pixels
        self._state[image] = READABLE

    def __getstate__(self) -> dict[str, object]:
        """Pickle without pixels, for worker processes that are not forked."""
        state = self.__dict__.copy()
        for name in ("_state", "_contents", "_held", "_cache"):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore with nothing read."""
        self.__dict__.update(state)
        self._allocate()
