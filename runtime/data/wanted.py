"""What an objective or a task asks of some rows of a split: the contract of their `items.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from renaissance.grammar.kinds.source import Fit
from renaissance.runtime.data.corpus import Split
from renaissance.runtime.data.images import Images
from renaissance.runtime.data.tokenizer import Tokenizer
from renaissance.runtime.data.tokens import Padded


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What items are made from.

    Attributes:
        split: where the rows come from.
        tokenizer: of its texts.
        seed: the job's seed.
        training: whether something is learned from them.
        images_a_pair: that the model reads beside a text at once.
        grid: patches along one side of a square image; 0 where that is not known.
    """

    split: Split
    tokenizer: Tokenizer
    seed: int
    training: bool
    images_a_pair: int = 1
    grid: int = 0

    def grids(self, images: np.ndarray) -> np.ndarray:
        """Return patches from top to bottom and from left to right of images that can be read.

        Args:
            images: `[n]` numbers of images, which the first stream of images reads.

        Returns:
            `[n, 2]` int64. Images that keep their shape are decoded for it.
        """
        reader = next(iter(self.split.corpus.images.readers.values()))
        if not isinstance(reader, Images) or not isinstance(reader.resize, Fit):
            return np.full((len(images), 2), self.grid)
        reader.decode(np.unique(images))
        side = reader.size // self.grid
        return reader.shapes(images).astype(np.int64) // side


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Which pairs are candidates of one item.

    Attributes:
        item: `[pairs]` int64, ascending: the item of each pair, all numbers from 0 on.
        place: `[pairs]` int64, its place among the candidates of that item.
    """

    item: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray) -> "Group":
        """Return the group of items that have so many candidates each, `[items]` int64."""
        item = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(item)) - np.repeat(np.cumsum(counts) - counts, counts)
        return cls(item=item, place=place)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTruth:
    """Which texts are known to be true of which images: `compiler.batch.Truth` in numpy."""

    text: np.ndarray
    image: np.ndarray
    pairs: np.ndarray
    contents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Pairs of texts and images, what is read of them, and what is wanted there.

    Attributes:
        text: `[pairs]` int64, which of the rows' texts; behind them, those of `TextMaker.texts`.
        image: `[pairs]` int64, which image of the table; -1 where texts are read without one.
            `[pairs, images]` where several are read at once.
        ids: `[rows, tokens]` int64, texts that stand in the place of the rows' own; None for those.
        positions: `[items]` int64, places of tokens in the flattened `[rows * tokens]`; None where
            pooled pairs are read. Pairs are then the rows in order.
        hidden: of each pair `[patches]` bool, which patches (or regions) of its image are hidden:
            these are the items, and images with hidden patches stand in the place of the pairs'
            own; None for those. Of pairs of one image the first one says it.
        changed: of each pair `[regions, channels]` float32, features of the regions of its image as
            they are shown; None where pixels are hidden.
        whole: what is hidden is predicted of the images as they are, which are encoded too.
        target: `[items]` int64 classes, `[items, classes]` float32 shares of credit, `[items]`
            float32 numbers or, of regions, `[items, numbers]`; None where nobody knows.
        group: the candidates of each item; None where pairs are none.
        row: `[items]` int64, the row of the table that each item is about; None where nobody asks.
        numbers: `[pairs, numbers]` float32 that the head reads of each pair beside its vector; None
            where it reads none.
        truth: of the pairs, where they are compared with each other; None elsewhere.
        turn: `[pairs]` int64, which draw for its text each pair is, where images are drawn by a
            comparison, and -1 where one stays; None where all stay.
    """

    text: np.ndarray
    image: np.ndarray
    ids: np.ndarray | None = None
    positions: np.ndarray | None = None
    hidden: Sequence[np.ndarray] | None = None
    changed: Sequence[np.ndarray] | None = None
    whole: bool = False
    target: np.ndarray | None
    group: Group | None = None
    row: np.ndarray | None = None
    numbers: np.ndarray | None = None
    truth: KnownTruth | None = None
    turn: np.ndarray | None = None


class Maker(Protocol):
    """Makes the items of an objective or a task."""

    def draw(self, rows: np.ndarray, *, purpose: str, step: int) -> Any:
        """Make the random choices of a whole global batch, so that every part sees the same.

        Args:
            rows: `[rows]` int64, the texts of the global batch.
            purpose: `train`, or the name of another split: keeps random choices apart.
            step: number of the global batch.
        """
        ...

    def items(self, rows: np.ndarray, text: Padded, part: np.ndarray, drawn: Any) -> Wanted:
        """Return the items of a part of the global batch.

        Args:
            rows: `[n]` int64, its texts, whose images can be read.
            text: their tokens, and behind them those of the texts that `TextMaker` shows.
            part: `[n]` int64, their places in the global batch.
            drawn: what `draw` returned.
        """
        ...


@runtime_checkable
class TextMaker(Maker, Protocol):
    """One that also shows texts of other rows."""

    def texts(self, rows: np.ndarray, part: np.ndarray, drawn: Any) -> np.ndarray:
        """Return `[k]` int64, the rows of the table whose texts are encoded behind those of `rows`.

        Args:
            rows: `[n]` int64, as `items` gets them.
            part: `[n]` int64, likewise.
            drawn: what `draw` returned.
        """
        ...


Makers = Mapping[str, Maker]
"""By name of the head, in the order of their pairs."""
