"""Captions of COCO or Flickr30k with their images, a row a caption."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from renaissance.runtime.data.part import Part
from renaissance.runtime.data.table import Source, Table, make_table
from renaissance.runtime.tasks.retrieval.karpathy import read_captioned
from renaissance.runtime.tasks.retrieval.schema import Retrieval


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnImages:
    """What is right for a caption: the image that it was written for.

    Attributes:
        images: `[rows]` int64, the place of that image in the file.
    """

    images: np.ndarray

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return `[n]` int64."""
        found: np.ndarray = self.images[rows]
        return found

    def credit(self, rows: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Return 1 where the image is the caption's own."""
        right: np.ndarray = (self.images[rows] == predictions).astype(np.float32)
        return right

    def impossible(self, rows: np.ndarray) -> int:
        """Count none: each caption has its image."""
        return 0

    def majority(self, rows: np.ndarray) -> None:
        """Return nothing: no image is that of many captions."""


def read(block: Retrieval, source: Source, file: str) -> Table:
    """Read one split; DataError if the file is missing or malformed.

    Rows have the `id` of their caption, and `entry` and `image_name` of the image: its place in the
    split, and what files of scores call it.
    """
    images = read_captioned(block, file)
    counts = [len(image.captions) for image in images]
    entry = np.repeat(np.arange(len(images)), counts)
    captions = [caption for image in images for caption in image.captions]
    names = [str(images[place].name) for place in entry.tolist()]
    return make_table(
        source,
        block.root,
        pa.array([text for _, text in captions], pa.string()),
        pa.array([images[place].path for place in entry.tolist()], pa.string()),
        columns={
            "id": pa.array([number for number, _ in captions], pa.int64()),
            "entry": pa.array(entry),
            "image_name": pa.array(names, pa.string()),
        },
    )


def answers(block: Retrieval, train: Part) -> tuple[str, ...]:
    """Return none: what can be found are the images and texts of a split."""
    return ()


def targets(block: Retrieval, table: Table, answers: tuple[str, ...]) -> OwnImages:
    """Return the image of each caption."""
    return OwnImages(images=table.column("entry").to_numpy().astype(np.int64))
