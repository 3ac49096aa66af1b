"""The regions of the images of a table, as a detector has kept them: read when needed."""

import mmap
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import torch

from renaissance.compiler.batch import RegionRows
from renaissance.runtime.crops import whole_and_box
from renaissance.runtime.data.image_file import UnreadableImageError
from renaissance.runtime.data.streams import RegionNeeds
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.unreadable import UnreadableImages
from renaissance.runtime.regular_file import regular_file

LARGEST = 2**28
"""Bytes of an array of a file that is read."""
FOLDERS = 3
"""Folders around an image by which its regions are told from those of others of its name."""
UNKNOWN, UNREADABLE = 0, -1
BEYOND = 0.1
"""Share of an image that a box may reach beyond it."""
ROUNDED = 0.02
"""What probabilities of half precision may sum to beyond 1."""


class RegionFiles:
    """Features and boxes of detected regions by the number of an image in a table.

    As many as there is room for, those of the first images, are kept in memory that forked worker
    processes share; of the others only those of the current step.

    Attributes:
        unreadable: images whose regions could not be read by this process.
    """

    def __init__(
        self,
        table: Table,
        needs: RegionNeeds,
        *,
        cache_bytes: int,
        unreadable: UnreadableImages | None = None,
    ) -> None:
        """Prepare to read; no file is opened yet.

        Args:
            table: whose images these are.
            needs: what is read of them.
            cache_bytes: room for what was read.
            unreadable: counts what cannot be read, where other readers of the table do so too.
        """
        self.unreadable = UnreadableImages(table) if unreadable is None else unreadable
        self._table, self._needs = table, needs
        self._count = len(table.images)
        self._numbers = needs.regions * needs.numbers
        self._kept = min(self._count, max(cache_bytes, 0) // (4 * self._numbers))
        self._allocate()

    @property
    def cache_bytes(self) -> int:
        """Memory that regions take when all have been read that are kept."""
        return 4 * self._kept * self._numbers

    def _allocate(self) -> None:
        # How many regions each image has.
        self._found = np.frombuffer(mmap.mmap(-1, 2 * self._count), np.int16)
        self._held: dict[int, np.ndarray] = {}
        try:
            # An anonymous map takes memory only where it was written to.
            memory: mmap.mmap | bytes = mmap.mmap(-1, self.cache_bytes) if self._kept else b""
        except OSError:
            memory, self._kept = b"", 0
        shape = (self._kept, self._needs.regions, self._needs.numbers)
        self._cache = np.frombuffer(memory, np.float32).reshape(shape)

    def readable(self, images: np.ndarray) -> np.ndarray:
        """Read what is not known yet.

        Args:
            images: `[n]` numbers of images.

        Returns:
            `[n]` bool, False where the regions of an image are missing or damaged.

        Raises:
            DataError: if those of more images are unreadable than may be.
        """
        for image in np.unique(images).tolist():
            here = image < self._kept or image in self._held
            if self._found[image] == UNKNOWN or (self._found[image] > 0 and not here):
                self._read(image)
            elif self._found[image] == UNREADABLE and image not in self.unreadable:
                self._read(image)  # another process met it: this one says why
        readable: np.ndarray = self._found[images] > 0
        return readable

    def rows(self, images: np.ndarray) -> RegionRows:
        """Return the regions of images `[n]` that `readable` found to be so."""
        counts = self._found[images].astype(np.int64)
        most, channels = int(counts.max(initial=1)), self._needs.channels
        found = np.empty((len(images), most, channels + 4), np.float32)
        for place, image in enumerate(images.tolist()):
            found[place] = self._stored(image)[:most, : channels + 4]
        mask = np.arange(most) < counts[:, None]
        return RegionRows(
            features=torch.from_numpy(found[..., :channels].copy()),
            boxes=torch.from_numpy(found[..., channels:].copy()),
            mask=None if mask.all() else torch.from_numpy(mask),
        )

    def regions(self, images: np.ndarray) -> list[np.ndarray]:
        """Return what the detector made of the regions of images `[n]` that can be read.

        Returns:
            `[regions, channels + classes]` float32 of each: features, and behind them classes.
        """
        channels, found = self._needs.channels, []
        for image, count in zip(images.tolist(), self._found[images].tolist(), strict=True):
            stored = self._stored(image)[:count]
            found.append(np.delete(stored, slice(channels, channels + 4), axis=1))
        return found

    def _stored(self, image: int) -> np.ndarray:
        stored: np.ndarray = self._cache[image] if image < self._kept else self._held[image]
        return stored

    def release(self) -> None:
        """Forget the regions of a step, where there is no room for all."""
        self._held.clear()

    def _read(self, image: int) -> None:
        try:
            regions = self._regions(self._table.path(image))
        except UnreadableImageError as problem:
            self._found[image] = UNREADABLE
            self.unreadable.add(image, str(problem))
            return
        padded = np.zeros((self._needs.regions, self._needs.numbers), np.float32)
        padded[: len(regions)] = regions
        if image < self._kept:
            self._cache[image] = padded
        else:
            self._held[image] = padded
        self._found[image] = len(regions)

    def _regions(self, file: str) -> np.ndarray:
        """Return what is read of the regions of an image, `[found, numbers]`."""
        if file == "":
            # Texts without an image are shown one region, which is the whole and shows nothing.
            blank = np.zeros((1, self._needs.numbers), np.float32)
            blank[:, self._needs.channels + 2 : self._needs.channels + 4] = 1.0
            return blank
        whole, box = whole_and_box(file)
        if box is not None:
            raise UnreadableImageError("no regions are kept of a part of an image")
        return read_regions(region_file(self._needs.folder, whole), self._needs)

    def __getstate__(self) -> dict[str, object]:
        """Pickle without regions, for worker processes that are not forked."""
        state = self.__dict__.copy()
        for name in ("_found", "_held", "_cache"):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore with nothing read."""
        self.__dict__.update(state)
        self._allocate()


def region_file(folder: str, image: str) -> Path:
    """Return the file that holds the regions of an image.

    It is called as the image is, in the folder or in folders of it that are called as those around
    the image: of `data/train/images/7.png` it is `train/images/7.npz`, `images/7.npz` or `7.npz`,
    the first of them that is there.

    Args:
        folder: of the detector's files.
        image: path of the image.
    """
    *around, name = PurePosixPath(image).with_suffix(".npz").parts
    inside = [Path(folder, *around[-depth:], name) for depth in range(FOLDERS, 0, -1)]
    plain = Path(folder, name)
    return next((path for path in inside if path.is_file()), plain)


def read_regions(path: Path, needs: RegionNeeds) -> np.ndarray:
    """Read what a detector has kept of an image.

    Args:
        path: of a `.npz` file with `features` `[found, channels]` and, where boxes are read,
            `boxes` `[found, 4]` in pixels with `width` and `height` of the image, and, where
            classes are read, `classes` `[found, classes]`.
        needs: what is read of it.

    Returns:
        `[n, numbers]` float32, the first regions: features, boxes as shares of the image, zeros
        where no boxes are read, and classes.

    Raises:
        UnreadableImageError: if the file is missing, damaged or holds something else.
    """
    names = ("features", "boxes", "width", "height") if needs.boxes else ("features",)
    arrays = _arrays(path, (*names, "classes") if needs.classes else names)
    features = arrays["features"]
    if features.ndim != 2 or features.shape[1] != needs.channels:
        raise _wrong(path, f"`features` of shape {features.shape}, not [n, {needs.channels}]")
    count = min(len(features), needs.regions)
    if not count:
        raise _wrong(path, "no region")
    found = np.zeros((count, needs.numbers), np.float32)
    found[:, : needs.channels] = features[:count]
    if needs.boxes:
        boxes, sides = arrays["boxes"], [arrays[name] for name in ("width", "height")]
        if boxes.shape != (len(features), 4):
            raise _wrong(path, f"`boxes` of shape {boxes.shape}, not [{len(features)}, 4]")
        if any(side.size != 1 or not side.item() > 0 for side in sides):
            raise _wrong(path, "a `width` or `height` that no image has")
        width, height = (float(side.item()) for side in sides)
        found[:, needs.channels : needs.channels + 4] = _shares(path, boxes[:count], width, height)
    if needs.classes:
        classes = arrays["classes"]
        if classes.shape != (len(features), needs.classes):
            wanted = f"not [{len(features)}, {needs.classes}]"
            raise _wrong(path, f"`classes` of shape {classes.shape}, {wanted}")
        _check_probabilities(path, classes[:count])
        found[:, needs.channels + 4 :] = classes[:count]
    if not np.isfinite(found).all():
        raise _wrong(path, "numbers that are not finite")
    return found


def _shares(path: Path, boxes: np.ndarray, width: float, height: float) -> np.ndarray:
    """Return boxes `[n, 4]` in pixels as shares of the image, left, top, right, bottom."""
    shares: np.ndarray = boxes / np.array([width, height, width, height])
    if (shares[:, 2:] < shares[:, :2]).any():
        raise _wrong(path, "`boxes` that are not left, top, right, bottom")
    if (shares < -BEYOND).any() or (shares > 1 + BEYOND).any():
        raise _wrong(path, f"`boxes` outside of its {width:g} × {height:g} pixels")
    if min(width, height) > 1 and 0 < boxes.max() <= 1:
        raise _wrong(path, "`boxes` in the first pixel alone; are they shares of the image?")
    return shares


def _check_probabilities(path: Path, classes: np.ndarray) -> None:
    """Refuse what are no probabilities `[n, classes]`; they may sum to less than 1."""
    total = classes.sum(1, dtype=np.float64)
    if (classes < 0).any() or (total <= 0).any() or (total > 1 + ROUNDED).any():
        raise _wrong(path, "`classes` that are no probabilities of each region")


def _arrays(path: Path, names: tuple[str, ...]) -> Mapping[str, np.ndarray]:
    try:
        found = _loaded(path, names)
    except UnreadableImageError:
        raise
    except FileNotFoundError:
        raise UnreadableImageError(f"there is no `{path}`") from None
    except Exception:  # whatever unpacking a damaged file stumbles over
        raise UnreadableImageError(f"`{path}` is damaged or no `.npz` file") from None
    for name, array in found.items():
        if array.dtype.kind not in "fiu":
            raise _wrong(path, f"`{name}` that holds no numbers")
    return found


def _loaded(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    with regular_file(str(path)) as file, zipfile.ZipFile(file) as archive:
        found = {}
        for name in names:
            if f"{name}.npy" not in archive.namelist():
                raise _wrong(path, f"no `{name}`")
            if archive.getinfo(f"{name}.npy").file_size > LARGEST:
                raise _wrong(path, f"`{name}` of more than {LARGEST // 2**20} MiB")
            with archive.open(f"{name}.npy") as array:
                found[name] = np.lib.format.read_array(array, allow_pickle=False)
        return found


def _wrong(path: Path, what: str) -> UnreadableImageError:
    return UnreadableImageError(f"`{path}` holds {what}")
