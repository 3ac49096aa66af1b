"""Recall and ranks of retrieval, from scores that come block by block.

Ties never depend on order. Where others score as the best own one does, all orders of them count
alike: recall is the probability that an own one is among the first `k`, a rank is the mean rank of
the first own one. What was not scored (-inf) is not found: an own one of that kind stands last.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from renaissance.runtime.tasks.means import Mean

RECALLS = (1, 5, 10)
"""Places that are looked at."""
FOLD = 1000
"""Images of a fold of COCO: blocks in the order of the file. Source: Karpathy & Fei-Fei 2015."""

Blocks = Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]]
"""Yields the images `[n]` int64 of each block and their scores `[n, texts]`; it is asked twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Where the best own candidate of each query stands.

    Attributes:
        above: `[queries]` int64: candidates that score more.
        equal: `[queries]` int64: those that score the same, itself included.
        own: `[queries]` int64: those of them that are own ones; 0 where no own one was scored.
        candidates: how many there are.
    """

    above: np.ndarray
    equal: np.ndarray
    own: np.ndarray
    candidates: int

    def recall(self, k: int) -> float:
        """Return the share of queries with an own one among the first `k`."""
        return float(self.hits(k).mean())

    def hits(self, k: int) -> np.ndarray:
        """Return `[queries]` float64: how probable an own one among the first `k` is."""
        # None of the places that are left among the equal ones goes to an own one.
        left = k - self.above
        missed = np.ones(len(self.above))
        for place in range(k):
            others = np.maximum(self.equal - self.own - place, 0)
            share = others / np.maximum(self.equal - place, 1)
            missed *= np.where((place < left) & (self.own > 0), share, 1.0)
        found: np.ndarray = 1.0 - missed
        return found

    @property
    def ranks(self) -> np.ndarray:
        """`[queries]` float64, counted from 1."""
        first = self.above + (self.equal + 1) / (self.own + 1)
        found: np.ndarray = np.where(self.own > 0, first, float(self.candidates))
        return found


@dataclass(slots=True, kw_only=True)
class Population:
    """Images in a row with their texts, among which is searched; blocks are added to it.

    Attributes:
        images: those that are part of it, as numbers from one up to another.
        starts: `[all images + 1]` int64: where the texts of each image start.
    """

    images: range
    starts: np.ndarray
    of_text: np.ndarray = field(init=False)
    own: np.ndarray = field(init=False)
    image_side: np.ndarray = field(init=False)
    text_side: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Count nothing yet."""
        starts = self.starts[self.images.start : self.images.stop + 1]
        self.of_text = np.repeat(np.arange(len(self.images)), np.diff(starts))
        self.own = np.full(len(self.of_text), -np.inf)
        self.image_side = np.zeros((3, len(self.images)), np.int64)
        self.text_side = np.zeros((3, len(self.of_text)), np.int64)

    def first_pass(self, images: np.ndarray, scores: np.ndarray) -> None:
        """Rank the texts of images `[n]` by scores `[n, texts]`; note those with their own."""
        mine, block = self._of(images, scores)
        first = self.starts[self.images.start]
        for place, image in enumerate(mine.tolist()):
            start, stop = self.starts[image + self.images.start :][:2] - first
            row = block[place]
            own = row[start:stop]
            self.own[start:stop] = own
            best = own.max()
            if best > -np.inf:
                counts = ((row > best).sum(), (row == best).sum(), (own == best).sum())
                self.image_side[:, image] = counts

    def second_pass(self, images: np.ndarray, scores: np.ndarray) -> None:
        """Count for each text the images `[n]` that score more than its own one, and as much."""
        _, block = self._of(images, scores)
        self.text_side[0] += (block > self.own).sum(axis=0)
        self.text_side[1] += (block == self.own).sum(axis=0)

    def _of(self, images: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return those of the images that are part of it, and their scores with its texts."""
        mine = (images >= self.images.start) & (images < self.images.stop)
        columns = slice(self.starts[self.images.start], self.starts[self.images.stop])
        return images[mine] - self.images.start, scores[mine, columns]

    def texts_of_images(self) -> Ranked:
        """Return where the best own text of each image stands."""
        above, equal, own = self.image_side
        return Ranked(above=above, equal=equal, own=own, candidates=len(self.of_text))

    def images_of_texts(self) -> Ranked:
        """Return where the image of each text stands."""
        above, equal, _ = self.text_side
        own = (self.own > -np.inf).astype(np.int64)
        return Ranked(above=above, equal=equal, own=own, candidates=len(self.images))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search is worth.

    Attributes:
        metrics: by name.
        of_images: `[images]`, by name: what each image that looks for texts is worth.
        of_texts: `[texts]`, by name: what each text that looks for an image is worth.
    """

    metrics: dict[str, float]
    of_images: dict[str, np.ndarray]
    of_texts: dict[str, np.ndarray]

    def means(self, places: np.ndarray, starts: np.ndarray) -> dict[str, Mean]:
        """Return what metrics are the means of; an image stands where its first text does.

        Args:
            places: `[texts]` int64, where each text stands among the rows of the split.
            starts: `[images + 1]` int64: where the texts of each image start.
        """
        first = places[starts[:-1]]
        return {
            **{name: Mean(places=first, values=worth) for name, worth in self.of_images.items()},
            **{name: Mean(places=places, values=worth) for name, worth in self.of_texts.items()},
        }


def measure_scores(starts: np.ndarray, blocks: Blocks, *, folds: bool) -> Found:
    """Measure retrieval both ways: `text_…` of images that look for texts, `image_…` of texts.

    Args:
        starts: `[images + 1]` int64: where the texts of each image start; the last one ends there.
        blocks: the scores.
        folds: also give the means over blocks of 1,000 images, as `text_r@1.1k`.
    """
    whole, cut = _populations(starts, folds=folds)
    every = [whole, *cut]
    _through(blocks, [population.first_pass for population in every])
    _through(blocks, [population.second_pass for population in every])
    return Found(
        metrics=_figures([whole], "") | (_figures(cut, ".1k") if cut else {}),
        of_images=_of_queries(whole.texts_of_images(), "text"),
        of_texts=_of_queries(whole.images_of_texts(), "image"),
    )


def by_chance(starts: np.ndarray, *, folds: bool) -> dict[str, float]:
    """Return what `measure_scores` gives where all score the same: all orders count alike."""
    whole, cut = _populations(starts, folds=folds)
    for one in (whole, *cut):
        one.own[:] = 0.0
        one.image_side[1] = len(one.of_text)
        one.image_side[2] = np.bincount(one.of_text, minlength=len(one.images))
        one.text_side[1] = len(one.images)
    return _figures([whole], "") | (_figures(cut, ".1k") if cut else {})


def _populations(starts: np.ndarray, *, folds: bool) -> tuple[Population, list[Population]]:
    """Return all images, and the blocks of 1,000 of them where these are asked for."""
    images = len(starts) - 1
    cut: list[Population] = []
    if folds and images > FOLD and images % FOLD == 0:
        edges = range(0, images, FOLD)
        cut = [Population(images=range(edge, edge + FOLD), starts=starts) for edge in edges]
    return Population(images=range(images), starts=starts), cut


def _of_queries(ranked: Ranked, name: str) -> dict[str, np.ndarray]:
    """Return what metrics that are means over queries are the means of."""
    found = {f"{name}_r@{k}": ranked.hits(k) for k in RECALLS}
    return found | {f"{name}_mean_rank": ranked.ranks}


def _through(blocks: Blocks, passes: Iterable[Callable[[np.ndarray, np.ndarray], None]]) -> None:
    for images, scores in blocks():
        for one in passes:
            one(images, scores)


def _figures(populations: Sequence[Population], suffix: str) -> dict[str, float]:
    """Return the means over populations."""
    found: dict[str, float] = {}
    sides = {
        "text": [population.texts_of_images() for population in populations],
        "image": [population.images_of_texts() for population in populations],
    }
    for name, ranked in sides.items():
        for k in RECALLS:
            found[f"{name}_r@{k}{suffix}"] = _mean([one.recall(k) for one in ranked])
        found[f"{name}_mean_rank{suffix}"] = _mean([float(one.ranks.mean()) for one in ranked])
        medians = [float(np.median(one.ranks)) for one in ranked]
        found[f"{name}_median_rank{suffix}"] = _mean(medians)
        scored = _mean([float((one.own > 0).mean()) for one in ranked])
        if scored < 1:
            # No recall can be higher.
            found[f"{name}_scored{suffix}"] = scored
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
