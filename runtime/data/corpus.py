"""A table made ready for a model: tokens, images, and the part of them that a split has."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from renaissance.runtime.data.copies import Copies
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.pictures import Pictures
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.targets import Targets
from renaissance.runtime.data.tokens import Tokens
from renaissance.runtime.data.truths import Truths


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """All texts and images of one table.

    Attributes:
        table: where they come from.
        tokens: the texts.
        images: the images, read when needed, as the streams of the model read them.
        images_of_row: `[texts, views]` int32, the images of each text.
        targets: what is right for each text; None where that is no matter of the table, or nobody
            knows.
    """

    table: Table
    tokens: Tokens
    images: Pictures
    images_of_row: np.ndarray
    targets: Targets | None = None

    @property
    def image_of_row(self) -> np.ndarray:
        """`[texts]` int32, the image of each text, or the first of its images."""
        first: np.ndarray = self.images_of_row[:, 0]
        return first

    @cached_property
    def truths(self) -> Truths:
        """Of which images each text is true."""
        return Truths.of(self.table)

    @cached_property
    def copies(self) -> Copies:
        """Which images are copies of each other, as far as somebody has asked."""
        return Copies(self.table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Some texts of a corpus: everything that belongs to some of its images.

    Attributes:
        corpus: what it is part of.
        rows: `[texts]` int32, numbers of the texts, grouped by their first image.
        choices: `[images]` int32, the numbers of these images, ascending.
        starts: `[images + 1]` int64, where the texts of each image start in `rows`.
    """

    corpus: Corpus
    rows: np.ndarray
    choices: np.ndarray = field(init=False)
    starts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Index the texts by image."""
        by_image = self.rows[np.argsort(self.corpus.image_of_row[self.rows], kind="stable")]
        image = self.corpus.image_of_row[by_image]
        starts = np.flatnonzero(np.diff(image, prepend=np.int32(-1)))
        object.__setattr__(self, "rows", by_image)
        object.__setattr__(self, "choices", image[starts])
        object.__setattr__(self, "starts", np.append(starts, len(by_image)))

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.rows)

    def images_differ(self) -> bool:
        """Return whether two images show something else, by what data and files say of them."""
        first, *others = self.choices.tolist()
        content = self.corpus.table.content_of_image
        return any(
            content[other] != content[first] and not self.corpus.copies.of(first, other)
            for other in others
        )

    def readable(self, rows: np.ndarray) -> np.ndarray:
        """Return `[n]` bool: of which texts `[n]` int64 all images can be read.

        Raises:
            DataError: if more images cannot be read than may be.
        """
        images = self.corpus.images_of_row[rows]
        found = self.corpus.images.readable(images.reshape(-1)).reshape(images.shape)
        all_of_them: np.ndarray = np.logical_and.reduce(found, axis=1)
        return all_of_them

    def readable_rows(self, rows: np.ndarray) -> np.ndarray:
        """Replace texts whose images cannot be read by texts of the next image that can.

        Whoever asks gets the same answer, whatever was read before.

        Args:
            rows: `[n]` int64, numbers of texts.

        Returns:
            `[n]` int64, numbers of texts whose images are readable.

        Raises:
            DataError: if no image can be read, or more cannot be read than may be.
        """
        lost = ~self.readable(rows)
        if not lost.any():
            return rows
        rows = rows.copy()
        for place in np.flatnonzero(lost).tolist():
            rows[place] = self._substitute(int(rows[place]))
        return rows

    def _substitute(self, row: int) -> int:
        image = int(np.searchsorted(self.choices, self.corpus.image_of_row[row]))
        mine = self.rows[self.starts[image] : self.starts[image + 1]]
        number = int(np.flatnonzero(mine == row)[0])
        for ahead in range(len(self.choices)):
            other = (image + ahead) % len(self.choices)
            theirs = self.rows[self.starts[other] : self.starts[other + 1]]
            for candidate in np.roll(theirs, -(number % len(theirs))).tolist():
                if self.readable(np.array([candidate]))[0]:
                    return int(candidate)
        raise DataError(f"no image of `{self.corpus.table.sources[0].name}` can be read")
