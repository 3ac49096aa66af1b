"""Which texts a step learns from, and how they are shared among ranks and micro-batches."""

from itertools import pairwise

import numpy as np

from renaissance.runtime.data.randomness import generator

GOLDEN = (5**0.5 - 1) / 2
"""The golden section: its multiples are spread more evenly than those of any other number."""


class Order:
    """An endless sequence of texts: one permutation of all of them after the other.

    An epoch shows every text once, or as often as its weight says. Up to `texts_per_image` texts
    about one image come together. Batches are cut from the sequence, so a batch is always full and
    may reach into the next epoch.
    """

    def __init__(
        self,
        rows: np.ndarray,
        images: np.ndarray,
        *,
        texts_per_image: int,
        seed: int,
        weights: np.ndarray | None = None,
    ) -> None:
        """Describe the order.

        Args:
            rows: `[texts]` integers, numbers of the texts.
            images: `[texts]` integers, the image of each.
            texts_per_image: most texts about one image in a group.
            seed: the job's seed.
            weights: `[texts]` float64, how often each comes in an epoch, in the mean of several
                epochs; once if None.
        """
        self._rows = rows
        self._images = images if texts_per_image > 1 else None
        self._weighted = None if weights is None else Weighted(weights, images, seed)
        self._texts_per_image = texts_per_image
        self._seed = seed
        self._drawn: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        """Return the texts of an epoch."""
        return len(self._rows) if self._weighted is None else self._weighted.total

    def batch(self, step: int, size: int) -> np.ndarray:
        """Return `[size]` int64, the texts of step `step`, counted from 0."""
        first, last = step * size, (step + 1) * size
        total = len(self)
        parts = []
        for epoch in range(first // total, (last - 1) // total + 1):
            start = epoch * total
            parts.append(self.epoch(epoch)[max(first - start, 0) : last - start])
        return np.concatenate(parts).astype(np.int64)

    def epoch(self, epoch: int) -> np.ndarray:
        """Return `[texts]`, all texts in the order of one epoch, of the type of `rows`."""
        if self._drawn is None or self._drawn[0] != epoch:
            self._drawn = None  # one of them is held at a time
            self._drawn = epoch, self._permutation(epoch)
        return self._drawn[1]

    def _permutation(self, epoch: int) -> np.ndarray:
        """Return the rows `[rows]` int64 in the order of an epoch."""
        draw = generator(self._seed, "order", epoch)
        shuffled = draw.permutation(len(self))
        if self._weighted is not None:
            shuffled = self._weighted.epoch(epoch)[shuffled]
        if self._images is None:
            return self._rows[shuffled]
        # Texts by image, those of one image in random order; then groups in random order.
        by_image = shuffled[np.argsort(self._images[shuffled], kind="stable")]
        image = self._images[by_image]
        starts = np.flatnonzero(np.diff(image, prepend=-1))
        place = np.arange(len(image)) - np.repeat(starts, np.diff(starts, append=len(image)))
        group = np.cumsum(place % self._texts_per_image == 0) - 1
        key = draw.permutation(group[-1] + 1)
        return self._rows[by_image[np.argsort(key[group], kind="stable")]]


class Weighted:
    """Which texts an epoch shows, where some come more often than others.

    Texts lie one behind the other on a line, each as long as its weight, those about one image side
    by side. An epoch shows what lies at points one apart; the first point moves from epoch to epoch
    by the golden section, which spreads points evenly however many epochs there are. So a text of
    weight 2.5 comes two or three times, and an image whose texts weigh 1 in all comes once.
    """

    def __init__(self, weights: np.ndarray, images: np.ndarray, seed: int) -> None:
        """Lay out texts.

        Args:
            weights: `[texts]` float64, above 0.
            images: `[texts]` int64, the image of each.
            seed: the job's seed.
        """
        draw = generator(seed, "weighted order")
        order = draw.permutation(len(weights))
        self._order = order[np.argsort(images[order], kind="stable")]
        ends = np.cumsum(weights[self._order])
        self.total = max(round(float(ends[-1])), 1)
        # Texts that weigh a whole number in all end at whole numbers exactly.
        self._ends = np.round(ends * (self.total / ends[-1]), 9)
        self._first = float(draw.random())

    def epoch(self, epoch: int) -> np.ndarray:
        """Return `[total]` int64, the places of the texts of an epoch."""
        first = (self._first + epoch * GOLDEN) % 1.0
        points = np.arange(self.total) + first
        found: np.ndarray = self._order[np.searchsorted(self._ends, points, side="right")]
        return found


def shares(total: int, parts: int) -> list[slice]:
    """Cut `range(total)` into consecutive parts whose sizes differ by one at most."""
    edges = [total * part // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def micro_batches(
    lengths: np.ndarray, images: np.ndarray, rank: int, ranks: int, micro_batch: int | None
) -> list[np.ndarray]:
    """Return the part of a global batch that one rank works on, places for each forward pass.

    Where there are several passes, texts of similar length come together, those of all ranks in
    one pass too: a pass is padded to its longest text, and no rank waits for another's. Neighbours
    about one image stay neighbours.

    Args:
        lengths: `[texts]` int64, tokens of each text of the global batch.
        images: `[texts]` int64, the image of each.
        rank: number of the process, counted from 0.
        ranks: number of processes.
        micro_batch: most texts a forward pass; no limit if None.
    """
    total = len(lengths)
    largest = -(-total // ranks)
    passes = 1 if micro_batch is None else -(-largest // micro_batch)
    places = np.arange(total)
    if passes > 1:
        starts = np.flatnonzero(np.diff(images, prepend=images[0] - 1))
        longest = np.maximum.reduceat(lengths, starts)
        group = np.repeat(np.arange(len(starts)), np.diff(starts, append=total))
        places = np.argsort(longest[group], kind="stable")
    mine = shares(total, passes * ranks)[rank::ranks]
    return [places[share] for share in mine if share.start < share.stop]


def held_out(scenes: np.ndarray, share: float, seed: int, *, least: int = 1) -> np.ndarray:
    """Choose the images that select the best checkpoint.

    Args:
        scenes: `[images]` int64; images of one scene stay on one side. Images may come repeatedly.
        share: share of the scenes that are held out.
        seed: the job's seed.
        least: scenes that are held out at least, where the share is not 0.

    Returns:
        `[images]` bool, True where an image is held out.
    """
    distinct, scene = np.unique(scenes, return_inverse=True)
    count = len(distinct)
    if share == 0 or count < 2 * least:
        return np.zeros(len(scenes), bool)
    number = min(max(round(share * count), least), count - least)
    chosen = np.zeros(count, bool)
    chosen[generator(seed, "held out").permutation(count)[:number]] = True
    return chosen[scene]
