"""Of which images a text is known to be true: none of them can show that the text is false."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Truths:
    """What the data say about texts and images, directly or not.

    A text is true of each image that a row pairs with it, and so is every text that reads the same.
    Whatever is true of an image is true of all images of the same content. A reader that knows more
    says so in `Table.also_true`.

    Attributes:
        text: `[texts]` int64; texts that differ in letter case only have the same number.
        own: `[texts]` int64, the content of each text's image.
        content: `[images]` int64; images with the same number show the same things.
        contents: how many numbers of contents there are.
        pairs: int64, ascending: `text * contents + content` for what `own` does not say.
    """

    text: np.ndarray
    own: np.ndarray
    content: np.ndarray
    contents: int
    pairs: np.ndarray

    @classmethod
    def of(cls, table: Table) -> "Truths":
        """Collect what a table says."""
        read = pc.utf8_lower(pc.utf8_trim_whitespace(table.texts)).combine_chunks()
        encoded = read.dictionary_encode()
        text = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        content, contents = table.content_of_image, table.contents
        own = content[table.image_of_row]
        # A text that no other row has is known by its own image alone.
        several = np.bincount(text)[text] > 1
        pairs = [text[several] * contents + own[several]]
        if table.also_true is not None:
            more = pc.utf8_lower(pc.utf8_trim_whitespace(table.also_true["text"]))
            number = pc.fill_null(pc.index_in(more, pa.array(encoded.dictionary)), -1).to_numpy()
            of = table.also_true["content"].to_numpy()
            there = number >= 0
            pairs.append(number[there].astype(np.int64) * contents + of[there])
        known = np.unique(np.concatenate(pairs))
        return cls(text=text, own=own, content=content, contents=contents, pairs=known)

    def among(self, rows: np.ndarray, contents: np.ndarray) -> np.ndarray:
        """Return what is known of texts beside their own rows, as far as it is about some contents.

        Args:
            rows: `[n]` int64, numbers of texts.
            contents: `[k]` int64, ascending.

        Returns:
            int64, as `pairs`, ascending.
        """
        text = np.unique(self.text[rows])
        first = np.searchsorted(self.pairs, text * self.contents)
        counts = np.searchsorted(self.pairs, (text + 1) * self.contents) - first
        place = np.arange(counts.sum()) + np.repeat(first - (np.cumsum(counts) - counts), counts)
        found: np.ndarray = self.pairs[place]
        return found[np.isin(found % self.contents, contents)]

    def hold(self, rows: np.ndarray, images: np.ndarray) -> np.ndarray:
        """Say for each text of which of some images it is known to be true.

        Args:
            rows: `[n]` int64, numbers of texts.
            images: `[n, k]` or `[k]` int64, images for each of them or for all.

        Returns:
            `[n, k]` bool.
        """
        content = self.content[images]
        known: np.ndarray = content == self.own[rows][:, None]
        if len(self.pairs):
            key = self.text[rows][:, None] * self.contents + content
            place = np.searchsorted(self.pairs, key)
            known |= self.pairs[np.minimum(place, len(self.pairs) - 1)] == key
        return known
