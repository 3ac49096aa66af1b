"""Which rows are learned from and measured: the same texts about the same photographs."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from renaissance.runtime.data.many_texts import taken
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.parts import MOST_COMPARED
from renaissance.runtime.data.sameness import NOT_FOUND, Photographs, found_among

AT_ONCE = 2**20
"""Texts that are compared in one go."""
ELSEWHERE = -1
"""An image that nothing is learned from."""
NONE = 0
"""The number of the image of rows that have none."""


def repeated(part: Part, learned: Part, *, digests: bool = True) -> np.ndarray:
    """Find the rows of a part whose texts are learned from beside the same images.

    What is said to be right is not compared: a row that is learned from with another answer is
    no new one either. Rows without an image are the same where their texts are.

    Args:
        part: what is measured.
        learned: what is learned from.
        digests: compare the files of images where nothing else tells which they are.

    Returns:
        `[rows of the part]` bool.
    """
    mine = _said(part, part.rows)
    others = _saying(learned, mine)
    theirs = _said(learned, others)
    number = _places(mine, theirs)
    found: np.ndarray = number != NOT_FOUND
    if not found.any():
        return found
    # Images are compared only where texts are equal: most often that is nowhere.
    images, of_learned = _images(part, part.rows[found], learned, others, digests=digests)
    count = len(learned.table.images) + 1
    there = of_learned != ELSEWHERE
    known = np.unique((_places(theirs, theirs)[:, None] * count + of_learned)[there])
    keys = number[found][:, None] * count + images
    there = np.isin(keys, known) & (images != ELSEWHERE)
    found[found] = there.all(axis=1)
    return found


def _saying(part: Part, texts: pa.Array) -> np.ndarray:
    """Return the rows `[n]` int64 of a part, which may be long, with one of some texts."""
    pieces = (part.rows[start : start + AT_ONCE] for start in range(0, len(part), AT_ONCE))
    kept = [rows[np.asarray(pc.is_in(_said(part, rows), value_set=texts), bool)] for rows in pieces]
    return np.concatenate(kept) if kept else part.rows


def _places(texts: pa.Array, others: pa.Array) -> np.ndarray:
    """Return `[n]` int64: where each text first stands among others, or `NOT_FOUND`."""
    found = pc.fill_null(pc.index_in(texts, value_set=others), NOT_FOUND)
    places: np.ndarray = found.to_numpy().astype(np.int64)
    return places


def _said(part: Part, rows: np.ndarray) -> pa.Array:
    """Return the texts of rows, ascending, first and second as one."""
    texts = pc.utf8_trim_whitespace(taken(part.table.texts, rows)).cast(pa.large_string())
    if part.table.seconds is not None:
        seconds = pc.utf8_trim_whitespace(taken(part.table.seconds, rows)).cast(pa.large_string())
        texts = pc.binary_join_element_wise(texts, seconds, pa.scalar("\n", pa.large_string()))
    return texts.combine_chunks()


def _images(
    part: Part, rows: np.ndarray, learned: Part, others: np.ndarray, *, digests: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the images of rows of both parts, `[rows, views]` each, under the same numbers."""
    mine, theirs = part.table.images_of_row[rows], learned.table.images_of_row[others]
    seen, numbers = _seen(learned, theirs)
    # One photograph may be there several times, under several names.
    same = found_among(seen, seen, digests=False)
    numbers[seen.numbers] = 1 + same.place
    asked, known = _seen(part, mine)
    found = found_among(asked, seen, digests=digests, most=MOST_COMPARED)
    known[asked.numbers[found.certain]] = 1 + same.place[found.place[found.certain]]
    return known[mine], numbers[theirs]


def _seen(part: Part, images: np.ndarray) -> tuple[Photographs, np.ndarray]:
    """Return images of a part, and a number for each of its table: `NONE` where there is none."""
    chosen = np.unique(images)
    seen = Photographs(part.table, chosen)
    numbers = np.full(len(part.table.images), ELSEWHERE, np.int64)
    numbers[np.setdiff1d(chosen, seen.numbers)] = NONE
    return seen, numbers
