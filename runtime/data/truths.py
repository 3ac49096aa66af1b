"""Of which images a text is known to be true: none of them can show that the text is false."""

from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.many_texts import numbered, pieces
from renaissance.runtime.data.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Truths:
    """What the data say about texts and images, directly or not.

    A text is true of each image that a row pairs with it, and so is every text that reads the same.
    Whatever is true of an image is true of all images of the same content. A reader that knows more
    says so in `Table.also_true`.

    Attributes:
        text: `[texts]` int32; texts that differ in letter case only have the same number.
        image: `[texts]` int32, the image of each.
        content: `[images]` int32; images with the same number show the same things.
        contents: how many numbers of contents there are.
        pairs: int64, ascending: `text * contents + content` for what `image` does not say.
    """

    text: np.ndarray
    image: np.ndarray
    content: np.ndarray
    contents: int
    pairs: np.ndarray

    @classmethod
    def of(cls, table: Table) -> "Truths":
        """Collect what a table says."""
        also = table.also_true
        more = [] if also is None else pieces(also["text"])
        number, _ = numbered(map(_read, chain(pieces(table.texts), more)))
        text = number[: len(table)]
        content, contents = table.content_of_image.astype(np.int32), table.contents
        image = table.image_of_row
        # A text that no other row has is known by its own image alone.
        several = (np.bincount(text) > 1)[text]
        pairs = [text[several].astype(np.int64) * contents + content[image[several]]]
        if also is not None:
            said = number[len(table) :].astype(np.int64)
            there = said <= text.max(initial=-1)
            pairs.append(said[there] * contents + also["content"].to_numpy()[there])
        known = np.unique(np.concatenate(pairs))
        return cls(text=text, image=image, content=content, contents=contents, pairs=known)

    def among(self, rows: np.ndarray, contents: np.ndarray) -> np.ndarray:
        """Return what is known of texts beside their own rows, as far as it is about some contents.

        Args:
            rows: `[n]` int64, numbers of texts.
            contents: `[k]` int64, ascending.

        Returns:
            int64, as `pairs`, ascending.
        """
        text = np.unique(self.text[rows]).astype(np.int64)
        first = np.searchsorted(self.pairs, text * self.contents)
        counts = np.searchsorted(self.pairs, (text + 1) * self.contents) - first
        place = np.arange(counts.sum()) + np.repeat(first - (np.cumsum(counts) - counts), counts)
        found: np.ndarray = self.pairs[place]
        return found[np.isin(found % self.contents, contents)]

    def about(self, rows: np.ndarray) -> np.ndarray:
        """Return what is known of texts or of their images, beside their own rows.

        Args:
            rows: `[n]` int64, numbers of texts.

        Returns:
            int64, as `pairs`, ascending.
        """
        text, content = np.divmod(self.pairs, self.contents)
        asked = np.isin(text, self.text[rows]) | np.isin(content, self._own(rows))
        return self.pairs[asked]

    def hold(self, rows: np.ndarray, images: np.ndarray) -> np.ndarray:
        """Say for each text of which of some images it is known to be true.

        Args:
            rows: `[n]` int64, numbers of texts.
            images: `[n, k]` or `[k]` int64, images for each of them or for all.

        Returns:
            `[n, k]` bool.
        """
        content = self.content[images]
        known: np.ndarray = content == self._own(rows)[:, None]
        if len(self.pairs):
            key = self.text[rows].astype(np.int64)[:, None] * self.contents + content
            place = np.searchsorted(self.pairs, key)
            known |= self.pairs[np.minimum(place, len(self.pairs) - 1)] == key
        return known

    def _own(self, rows: np.ndarray) -> np.ndarray:
        """Return `[rows]` int32, the content of the image of each text."""
        own: np.ndarray = self.content[self.image[rows]]
        return own


def _read(texts: pa.Array) -> pa.Array:
    """Return how texts read, whatever their letter case."""
    return pc.utf8_lower(pc.utf8_trim_whitespace(texts))
