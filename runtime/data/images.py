"""The images of a table: read when needed, kept when there is room."""

import mmap
import os

import numpy as np
import pyarrow.compute as pc

from renaissance.grammar.kinds.source import Fit, Resize
from renaissance.runtime.crops import MARK, cropped, whole_and_box
from renaissance.runtime.data.decode import UnreadableImageError, as_stored, read_image
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.resize import resized
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.unreadable import UnreadableImages
from renaissance.runtime.feature_cache.known import KnownImages
from renaissance.runtime.feature_cache.ledger import KEY_BYTES as CONTENT_BYTES
from renaissance.runtime.feature_cache.store import Entries
from renaissance.runtime.machine import free_memory

SHARE = 0.4
"""Share of the free memory that decoded images may take."""
WHERE_NOBODY_SAYS = 2 * 1024**3
"""Bytes that they may take where the system does not say what is free."""

MOST_WHOLES = 128
"""Decoded images of which parts are shown that are held at a time."""

UNKNOWN, READABLE, UNREADABLE = 0, 1, 2


class Images:
    """Decoded images by their number in a table.

    As many as there is room for, the first ones of the table, are kept in memory that forked
    worker processes share: whoever reads an image first reads it for all. Of the others only those
    of the current step are held.

    Attributes:
        size: height and width of square ones in pixels.
        resize: how images become square, or keep their shape.
        unreadable: what could not be read by this process.
        features: of images that need no decoding; None where all are decoded.
    """

    def __init__(
        self,
        table: Table,
        size: int,
        resize: Resize,
        *,
        blank: bytes = b"",
        cache_bytes: int | None = None,
        features: KnownImages | None = None,
        unreadable: UnreadableImages | None = None,
    ) -> None:
        """Prepare to read; no file is opened yet.

        Args:
            table: whose images these are.
            size: height and width of square ones in pixels.
            resize: how images become square, or keep their shape.
            blank: the file of the image of texts that have none.
            cache_bytes: room for decoded images; `room_for_images` if None.
            features: of images that need no decoding.
            unreadable: counts what cannot be read, where other readers of the table do so too.
        """
        self.features = features
        self.size = size
        self.resize = resize
        self.unreadable = UnreadableImages(table) if unreadable is None else unreadable
        self._table = table
        paths = table.images.data.column("path")
        self._parts = bool(pc.any(pc.match_substring(paths, MARK)).as_py())
        self._blank = blank
        self._count = len(table.images)
        room = room_for_images() if cache_bytes is None else cache_bytes
        height, width = resize.largest if isinstance(resize, Fit) else (size, size)
        self._image_bytes = 3 * height * width
        self._kept = min(self._count, max(room, 0) // self._image_bytes)
        self._allocate()

    @property
    def cache_bytes(self) -> int:
        """Memory that decoded images take when all have been read that are kept."""
        return self._kept * self._image_bytes

    def _allocate(self) -> None:
        self._state = np.frombuffer(mmap.mmap(-1, self._count), np.uint8)
        self._shapes = np.frombuffer(mmap.mmap(-1, self._count * 4), np.uint16).reshape(-1, 2)
        self._contents = np.frombuffer(mmap.mmap(-1, self._count * CONTENT_BYTES), np.uint8)
        self._contents = self._contents.reshape(self._count, CONTENT_BYTES)
        self._held: dict[int, np.ndarray] = {}
        self._wholes: dict[str, np.ndarray] = {}
        try:
            # An anonymous map takes memory only where it was written to.
            memory: mmap.mmap | bytes = mmap.mmap(-1, self.cache_bytes) if self._kept else b""
        except OSError:
            memory, self._kept = b"", 0
        self._cache = np.frombuffer(memory, np.uint8).reshape(self._kept, self._image_bytes)

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
        for image in rest[(self._state[rest] == READABLE) & (rest >= self._kept)].tolist():
            if image not in self._held:
                self._read(image)
        readable: np.ndarray = known | (self._state[images] == READABLE)
        return readable

    def shapes(self, images: np.ndarray) -> np.ndarray:
        """Return `[n, 2]` uint16, height and width of images that were read, pixels."""
        found: np.ndarray = self._shapes[images]
        return found

    def encoded(self, images: np.ndarray) -> tuple[Entries, list[bytes | None]]:
        """Return what is known of images that `readable` found to be so, and decode the others.

        Args:
            images: `[n]` numbers of distinct images.

        Returns:
            The features of those that are known; the digest of the file of each image.

        Raises:
            DataError: if an image that was readable no longer is.
        """
        assert self.features is not None
        contents = self._digests(images)
        entries = self.features.read(contents)
        self.decode(images[~entries.found])
        return entries, contents

    def decode(self, images: np.ndarray) -> None:
        """Decode images `[n]` of which `readable` may have found features; they are held then.

        Raises:
            DataError: if one that was readable no longer is.
        """
        for image in images.tolist():
            if self._state[image] != READABLE or not self._has(image):
                self._read(image)
            if self._state[image] != READABLE:
                raise DataError(f"`{self._table.path(image)}` can no longer be read")

    def pixels(self, images: np.ndarray) -> np.ndarray:
        """Return `[n, 3, height, width]` uint8 of images of one shape that were found readable."""
        kept = images < self._kept
        height, width = self._shapes[images[0]].tolist() if len(images) else (self.size, self.size)
        shape = (-1, 3, height, width)
        if kept.all():
            of_memory: np.ndarray = self._cache[images, : 3 * height * width].reshape(shape)
            return of_memory
        pixels = np.empty((len(images), 3, height, width), np.uint8)
        pixels[kept] = self._cache[images[kept], : 3 * height * width].reshape(shape)
        for place in np.flatnonzero(~kept).tolist():
            pixels[place] = self._held[int(images[place])]
        return pixels

    def _has(self, image: int) -> bool:
        return image < self._kept or image in self._held

    def release(self) -> None:
        """Forget the images of a step, where there is no room for all."""
        self._held.clear()
        self._wholes.clear()

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
            found = self.features.digests([self._file(image) for image in new])
            for image, content in zip(new, found, strict=True):
                if content is not None:
                    self._contents[image] = np.frombuffer(content, np.uint8)
        return [content.tobytes() if content.any() else None for content in self._contents[images]]

    def _file(self, image: int) -> str | bytes:
        file = self._table.file(image)
        return self._blank if file == "" else file

    def _read(self, image: int) -> None:
        try:
            if self._state[image] == UNREADABLE and image in self.unreadable:
                return
            pixels = self._resized(self._file(image))
        except UnreadableImageError as problem:
            self._state[image] = UNREADABLE
            self.unreadable.add(image, str(problem))
            return
        self._shapes[image] = pixels.shape[1:]
        if image < self._kept:
            self._cache[image, : pixels.size] = pixels.flatten()
        else:
            self._held[image] = pixels
        self._state[image] = READABLE

    def _resized(self, file: str | bytes) -> np.ndarray:
        """Read an image; where parts of images are shown, each is decoded once for all of them."""
        if not self._parts or isinstance(file, bytes):
            return read_image(file, self.size, self.resize)
        whole, box = whole_and_box(file)
        if whole not in self._wholes:
            if len(self._wholes) >= MOST_WHOLES:
                del self._wholes[next(iter(self._wholes))]
            self._wholes[whole] = as_stored(whole)
        pixels = self._wholes[whole]
        return resized(pixels if box is None else cropped(pixels, box), self.size, self.resize)

    def __getstate__(self) -> dict[str, object]:
        """Pickle without pixels, for worker processes that are not forked."""
        state = self.__dict__.copy()
        for name in ("_state", "_shapes", "_contents", "_held", "_wholes", "_cache"):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore with nothing read."""
        self.__dict__.update(state)
        self._allocate()


def room_for_images() -> int:
    """Return the bytes that decoded images may take: a share of what is free for this process.

    The limits of its group count, as in a container, and other training processes on this machine.
    """
    free = free_memory()
    room = WHERE_NOBODY_SAYS if free is None else free * SHARE
    return int(room / int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
