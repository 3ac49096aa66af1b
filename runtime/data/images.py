"""The images of a table: read when needed, kept when there is room."""

import mmap

import numpy as np

from renaissance.runtime.data.decode import Resize, UnreadableImageError, read_image
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.unreadable import UnreadableImages

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
    """

    def __init__(
        self, table: Table, size: int, resize: Resize, *, cache_bytes: int = CACHE_BYTES
    ) -> None:
        """Prepare to read; no file is opened yet."""
        self.size = size
        self.resize = resize
        self.unreadable = UnreadableImages(table)
        self._table = table
        self._count = len(table.images)
        self._cached = self._count * 3 * size * size <= cache_bytes
        self._allocate()

    def _allocate(self) -> None:
        self._state = np.frombuffer(mmap.mmap(-1, self._count), np.uint8)
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
        for image in np.unique(images[self._state[images] != READABLE]).tolist():
            self._read(image)
        if self._cache is None:
            for image in images[self._state[images] == READABLE].tolist():
                if image not in self._held:
                    self._read(image)
        readable: np.ndarray = self._state[images] == READABLE
        return readable

    def pixels(self, images: np.ndarray) -> np.ndarray:
        """Return `[n, 3, size, size]` uint8 of images that `readable` found to be so."""
        if self._cache is not None:
            kept: np.ndarray = self._cache[images]
            return kept
        return np.stack([self._held[image] for image in images.tolist()])

    def release(self) -> None:
        """Forget the images of a step, where there is no room for all."""
        self._held.clear()

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
        for name in ("_state", "_held", "_cache"):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore with nothing read."""
        self.__dict__.update(state)
        self._allocate()
