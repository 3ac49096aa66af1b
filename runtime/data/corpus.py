"""A table made ready for a model: tokens, images, and the part of them that a split has."""

from dataclasses import dataclass, field

import numpy as np

from renaissance.runtime.data.copies import are_copies
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.images import Images
from renaissance.runtime.data.matching import NONE
from renaissance.runtime.data.table import Table
from renaissance.runtime.data.tokens import Tokens
from renaissance.runtime.data.truths import Truths


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """All texts and images of one table.

    Attributes:
        table: where they come from.
        tokens: the texts.
        images: the images, read when needed.
        image_of_row: `[texts]` int64, the image of each text.
        labels: `[texts]` int64, the answer's number; None without a task.
        truths: of which images each text is true; None where no text is matched.
    """

    table: Table
    tokens: Tokens
    images: Images
    image_of_row: np.ndarray
    labels: np.ndarray | None = None
    truths: Truths | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Some texts of a corpus: everything that belongs to some of its images.

    Attributes:
        corpus: what it is part of.
        rows: `[texts]` int64, numbers of the texts, grouped by image.
        choices: `[images]` int64, the numbers of the images, ascending.
        starts: `[images + 1]` int64, where the texts of each image start in `rows`.
    """

    corpus: Corpus
    rows: np.ndarray
    choices: np.ndarray = field(init=False)
    starts: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Index the texts by image."""
        by_image = self.rows[np.argsort(self.corpus.image_of_row[self.rows], kind="stable")]
        choices, starts = np.unique(self.corpus.image_of_row[by_image], return_index=True)
        object.__setattr__(self, "rows", by_image)
        object.__setattr__(self, "choices", choices)
        object.__setattr__(self, "starts", np.append(starts, len(by_image)))

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.rows)

    def substitute(self, image: int) -> int:
        """Return the next image of the split that can be read; itself if it can.

        Whoever asks gets the same answer, whatever was read before.

        Raises:
            DataError: if no image can be read, or more cannot be read than may be.
        """
        place = int(np.searchsorted(self.choices, image))
        for ahead in range(len(self.choices)):
            other = self.choices[(place + ahead) % len(self.choices)]
            if self.corpus.images.readable(np.array([other]))[0]:
                return int(other)
        raise DataError(f"no image of `{self.corpus.table.sources[0].name}` can be read")

    def readable_rows(self, rows: np.ndarray) -> np.ndarray:
        """Replace texts whose image cannot be read by texts of the next image that can.

        Args:
            rows: `[n]` int64, numbers of texts.

        Returns:
            `[n]` int64, numbers of texts whose images are readable.
        """
        images = self.corpus.image_of_row[rows]
        lost = ~self.corpus.images.readable(images)
        if not lost.any():
            return rows
        rows = rows.copy()
        for place in np.flatnonzero(lost).tolist():
            old = int(np.searchsorted(self.choices, images[place]))
            new = int(np.searchsorted(self.choices, self.substitute(int(images[place]))))
            mine = self.rows[self.starts[old] : self.starts[old + 1]]
            theirs = self.rows[self.starts[new] : self.starts[new + 1]]
            number = int(np.flatnonzero(mine == rows[place])[0])
            rows[place] = theirs[number % len(theirs)]
        return rows

    def readable_negatives(self, rows: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Replace drawn images that cannot be read, or that a text is true of after all.

        That happens where the text itself stands in the place of one whose image cannot be read,
        and where an image is a copy of the text's own under another name.

        Args:
            rows: `[n]` int64, numbers of texts.
            drawn: `[n, count]` int64, other images; `NONE` where there is none.

        Returns:
            `[n, count]` int64, readable images; the text's own where there is no other.
        """
        truths, images = self.corpus.truths, self.corpus.images
        assert truths is not None  # a corpus that is matched has them
        own = np.broadcast_to(self.corpus.image_of_row[rows][:, None], drawn.shape)
        none = drawn == NONE
        drawn = np.where(none, own, drawn)
        readable = images.readable(drawn.reshape(-1)).reshape(drawn.shape)
        wrong = (~readable | truths.hold(rows, drawn) | self._copies(own, drawn)) & ~none
        for row, column in np.argwhere(wrong).tolist():
            free = self.choices[~truths.hold(rows[row : row + 1], self.choices)[0]]
            ahead = np.roll(free, -int(np.searchsorted(free, drawn[row, column])))
            mine = own[row, column]
            fit = (
                image
                for image in ahead
                if images.readable(image[None])[0] and not self._copies(mine, image)
            )
            drawn[row, column] = next(fit, mine)
        return drawn

    def _copies(self, own: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Return which drawn images are copies of a text's own one, in the shape of both."""
        path = self.corpus.table.path
        pairs = zip(np.ravel(own).tolist(), np.ravel(drawn).tolist(), strict=True)
        found = [are_copies(path(mine), path(other)) for mine, other in pairs]
        return np.array(found, bool).reshape(np.shape(drawn))
