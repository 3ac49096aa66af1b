"""Some rows of a table, as a split of a job has them, and what tells whether they change."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from renaissance.runtime.data.many_texts import (
    PIECE,
    TextColumn,
    Texts,
    numbered,
    pieces,
    pieces_at,
)
from renaissance.runtime.data.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Where the texts of a split are.

    Attributes:
        file: name of the table among those of the job.
        table: the whole table.
        rows: `[texts]` int32, the rows of the table that belong to the split, ascending.
        withheld: texts that are no part of `train` because a later job selects by their images.
        unanswerable: texts that are no part of what is learned from or selects because no answer
            that can be given is right, or none is known.
        labelled: whether what is right is known.
    """

    file: str
    table: Table
    rows: np.ndarray
    withheld: int = 0
    unanswerable: int = 0
    labelled: bool = True

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.rows)

    @property
    def weights(self) -> np.ndarray | None:
        """`[texts]` float64: how often each comes in an epoch; None where each comes once."""
        weights = self.table.weight_of_row
        return None if weights is None else weights[self.rows]

    @property
    def images(self) -> np.ndarray:
        """`[images]` int32: the images that the texts are about, ascending."""
        return np.unique(self.table.images_of_row[self.rows])

    @property
    def shows_images(self) -> bool:
        """Whether each text is about an image."""
        shown = pc.not_equal(self.table.images.data.column("path"), "").take(pa.array(self.images))
        return bool(pc.all(shown).as_py())

    @property
    def shown_images(self) -> int:
        """How many images there are; texts without one are shown none of them."""
        paths = self.table.images.data.column("path")
        shown = np.asarray(pc.not_equal(paths, ""))
        return int(np.count_nonzero(shown[self.images]))

    @property
    def distinct_texts(self) -> int:
        """How many different texts there are."""
        return int(np.count_nonzero(numbered(self.texts.pieces())[1]))

    @property
    def texts(self) -> Texts:
        """The texts."""
        return Texts(self.rows, self.table.texts)

    @property
    def seconds(self) -> Texts:
        """The second texts of rows that have two; none where they have one."""
        seconds = self.table.seconds
        return Texts(self.rows, *([] if seconds is None else [seconds]))

    @property
    def all_texts(self) -> Texts:
        """The texts, and behind them the second ones."""
        seconds = self.table.seconds
        return Texts(self.rows, self.table.texts, *([] if seconds is None else [seconds]))

    @property
    def digest(self) -> str:
        """Names texts, images and what is known of them, in order; not the folder they lie in."""
        digest = xxhash.xxh3_128()
        image = self.table.images_of_row[self.rows]
        paths = partial(_paths, self.table, np.unique(image))
        # What all paths begin with is what the first and the last of them begin with.
        ends = [end for piece in paths() for end in pc.min_max(piece).as_py().values() if end]
        cut = os.path.commonprefix(ends).rfind("/") + 1  # noqa: RUF071
        for start in range(0, len(image), PIECE):
            digest.update(image[start : start + PIECE].astype(np.int64).tobytes())
        _digest_texts(digest, self.texts.pieces)
        _digest_texts(digest, lambda: (pc.utf8_slice_codeunits(piece, cut) for piece in paths()))
        for name in self.table.known_of_rows:
            _digest_column(digest, self.table.column(name).take(self.rows))
        return digest.hexdigest()

    @property
    def answers(self) -> list[str]:
        """The answer of each text; DataError where there are none."""
        answers = self.table.answers()
        return [answers[row] for row in self.rows.tolist()]


def _paths(table: Table, images: np.ndarray) -> Iterator[pa.Array]:
    """Yield the paths of images `[n]` int64, ascending, in pieces, but for that of no image."""
    for piece in pieces_at(table.images.data.column("path"), images):
        yield piece.filter(pc.not_equal(piece, ""))


def _digest_column(digest: xxhash.xxh3_128, column: TextColumn) -> None:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        digest.update(pc.list_value_length(column).to_numpy(zero_copy_only=False).tobytes())
        _digest_column(digest, pc.list_flatten(column))
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        _digest_texts(digest, partial(pieces, column))
    else:
        digest.update(column.to_numpy(zero_copy_only=False).tobytes())


def _digest_texts(digest: xxhash.xxh3_128, texts: Callable[[], Iterator[pa.Array]]) -> None:
    """Add the lengths of all texts, then the texts."""
    for piece in texts():
        digest.update(pc.binary_length(pc.fill_null(piece, "\0")).to_numpy().tobytes())
    for piece in texts():
        digest.update("".join(pc.fill_null(piece, "\0").to_pylist()).encode())
