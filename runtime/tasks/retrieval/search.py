"""Scoring all pairs of a split: every image and every text is encoded once.

Texts are encoded first and held in memory, packed. Images are encoded block by block; those of a
block are joined with all texts, one image with as many texts a pass as the evaluation's `batch`.
Processes share the images. The scores lie on the disk of the first process, which measures them
block by block, as `renaissance score` does with a file.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from renaissance.compiler.model.features import Features
from renaissance.compiler.model.packing import Packing
from renaissance.compiler.step import Objectives
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.runtime.data import JobData
from renaissance.runtime.data.moving import moved
from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.precision import Precision
from renaissance.runtime.tasks.answered import Answered, Searched
from renaissance.runtime.tasks.retrieval.ranks import Found, by_chance, measure_scores
from renaissance.runtime.tasks.retrieval.reader import OwnImages
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from renaissance.runtime.training.session import Session

NOT_SCORED = -np.inf
TEXTS_AT_ONCE = 1024
"""Texts that are encoded at once, at most."""
MEASURED_ROWS = 64
"""Images whose scores are measured at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The images and texts of a split.

    Attributes:
        rows: `[texts]` int64: its captions as rows of the table, by image.
        names: of the images.
        ids: of the captions.
        starts: `[images + 1]` int64: where the captions of each image start.
        distinct: `[texts]` int64: captions of the same tokens have the same number, so that they
            have the same score.
        first: `[distinct]` int64: the place of one caption of each number, shortest first.
    """

    rows: np.ndarray
    names: list[str]
    ids: list[int]
    starts: np.ndarray
    distinct: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, data: JobData, split: str) -> "Sought":
        """Look at what a split has."""
        part = data.part(split)
        entry = part.table.column("entry").to_numpy()[part.rows]
        rows = part.rows[np.argsort(entry, kind="stable")]
        entry = part.table.column("entry").to_numpy()[rows]
        first = np.flatnonzero(np.diff(entry, prepend=-1))
        names = part.table.column("image_name").to_pylist()
        tokens = data.tokens(split)
        numbers: dict[bytes, int] = {}
        spelled = [tokens.of(row).tobytes() for row in rows.tolist()]
        distinct = np.array([numbers.setdefault(text, len(numbers)) for text in spelled])
        place = np.unique(distinct, return_index=True)[1]
        order = np.argsort(tokens.lengths_of(rows[place]), kind="stable")
        return cls(
            rows=rows,
            names=[names[row] for row in rows[first].tolist()],
            ids=part.table.column("id").to_numpy()[rows].tolist(),
            starts=np.append(first, len(rows)),
            distinct=np.argsort(order)[distinct],
            first=place[order],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Distinct texts, one behind the other, in memory.

    Attributes:
        tokens: `[tokens, width]`.
        lengths: `[texts]` int64, of each.
    """

    tokens: Tensor
    lengths: Tensor

    def take(self, chosen: np.ndarray, device: torch.device) -> Features:
        """Return some of them, packed, on a device."""
        index = torch.from_numpy(chosen)
        tokens = int(self.lengths[index].sum())
        packing = Packing(cumulative=_cumulative(self.lengths), longest=int(self.lengths.max()))
        taken, places = packing.select(index, tokens)
        longest = int(self.lengths[index].max())
        return Features(
            tokens=self.tokens.index_select(0, places).to(device),
            packing=Packing(cumulative=taken.cumulative.to(device), longest=longest),
        )


class Search:
    """Scores the pairs of a split.

    Args:
        session: of the evaluation.
        objectives: the model with its losses.
        data: of the job.
        split: name of the split.
        precision: of the forward pass.
    """

    def __init__(
        self,
        session: Session,
        objectives: Objectives,
        data: JobData,
        split: str,
        precision: Precision,
    ) -> None:
        """Look at what is sought."""
        self._session, self._objectives, self._data = session, objectives, data
        self._split, self._precision = split, precision
        self._processes = session.processes
        [(self._head, task)] = objectives.kinds.items()
        job = session.spec.jobs[session.name]
        assert isinstance(task, Retrieval) and isinstance(job, Evaluate)
        self._task, self._batch = task, job.batch
        self._kept: dict[int, Tensor] = {}
        self.sought = Sought.of(data, split)
        self.readable = np.zeros(len(self.sought.names), bool)

    def ask(self) -> tuple[Answered, None]:
        """Score what is to be scored and measure it; all processes come here together."""
        sought, first = self.sought, self._processes.first
        with torch.no_grad(), self._precision.forward():
            texts = self._texts()
            if self._task.best == "all":
                scores = self._table(self._images(), lambda image: None, texts, None)
            else:
                scores = self._best(texts, self._task.best)
        found, top = None, np.zeros(len(sought.rows), np.int64)
        if first:
            assert scores is not None
            # An image that cannot be read is not found and finds nothing.
            scores[~self.readable] = NOT_SCORED
            found = measure_scores(
                sought.starts, lambda: _blocks(scores), folds=self._task.set == "coco"
            )
            top = _top(scores)
        found, top = self._processes.of_first((found, top))
        assert found is not None  # by the first process
        return self._answered(found, top, scores), None

    def _texts(self) -> Encoded:
        """Encode every distinct text once."""
        rows = self.sought.rows[self.sought.first]
        tokens, lengths = [], []
        for start in range(0, len(rows), min(self._batch, TEXTS_AT_ONCE)):
            chunk = rows[start : start + min(self._batch, TEXTS_AT_ONCE)]
            given, places = self._data.plain_texts(self._split, chunk)
            encoded = self._objectives.encode_texts(given.to(self._processes.device)).packed()
            assert encoded.packing is not None  # as packed
            index = torch.from_numpy(places).to(self._processes.device)
            total = int(encoded.packing.lengths[index].sum())
            chosen = encoded.select(index, total)
            assert chosen.packing is not None
            tokens.append(chosen.tokens.cpu())
            lengths.append(chosen.packing.lengths.cpu().long())
        return Encoded(tokens=torch.cat(tokens), lengths=torch.cat(lengths))

    def _images(self) -> Iterator[tuple[np.ndarray, list[Tensor]]]:
        """Encode this process's images, each once: `[n]` int64, and `[tokens, width]` of each."""
        sought = self.sought
        rows = sought.rows[sought.starts[:-1]]
        number = {row: image for image, row in enumerate(rows.tolist())}
        batches = self._data.with_images(
            self._split, rows, self._batch, self._processes.rank, self._processes.ranks
        )
        for batch, on_device in moved(batches, self._processes.device):
            items, there = batch.items[self._head], on_device.items[self._head]
            assert items.row is not None
            features = self._objectives.encode_images(on_device.images).select(there.image)
            yield np.array([number[row] for row in items.row.tolist()]), _each(features)

    def _best(self, texts: Encoded, best: int) -> np.ndarray | None:
        """Score all pairs on a few means of each image, and in full those that are best so."""
        coarse = self._table(self._kept_images(), lambda image: None, texts, self._task.coarse)
        chosen = _chosen(coarse, best) if coarse is not None else None
        packed = np.zeros(0, np.uint8) if chosen is None else np.packbits(chosen, axis=1)
        packed = self._processes.of_first(packed)
        wide = np.unpackbits(packed, axis=1, count=len(self.sought.rows)).astype(bool)

        def wanted(image: int) -> np.ndarray:
            return np.unique(self.sought.distinct[wide[image]])

        return self._table(self._held(), wanted, texts, None)

    def _kept_images(self) -> Iterator[tuple[np.ndarray, list[Tensor]]]:
        for images, features in self._images():
            for image, one in zip(images.tolist(), features, strict=True):
                self._kept[image] = one.cpu()
            yield images, features

    def _held(self) -> Iterator[tuple[np.ndarray, list[Tensor]]]:
        images = np.array(list(self._kept), np.int64)
        for start in range(0, len(images), self._batch):
            block = images[start : start + self._batch]
            device = self._processes.device
            yield block, [self._kept[image].to(device) for image in block.tolist()]

    def _table(
        self,
        blocks: Iterator[tuple[np.ndarray, list[Tensor]]],
        wanted: Callable[[int], np.ndarray | None],
        texts: Encoded,
        coarse: int | None,
    ) -> np.ndarray | None:
        """Return the scores of all processes, `[images, texts]` on the disk of the first one."""
        table = self._scratch() if self._processes.first else None
        done = 0
        while True:
            block = next(blocks, None)
            mine = (
                None if block is None else (block[0], self._scored(*block, wanted, texts, coarse))
            )
            # All processes stop at the same block, whichever of them was asked to.
            told = self._processes.of_all((mine, self._session.request.signal))
            every = [part for part, _ in told]
            if all(part is None for part in every):
                return table
            for part in every:
                if part is not None:
                    images, scores = part
                    self.readable[images] = True
                    done += int(np.diff(self.sought.starts)[images].sum())
                    if table is not None:
                        table[images] = scores[:, self.sought.distinct]
            self._session.observer.advance("evaluate", done)
            signal = max((number or 0 for _, number in told), default=0)
            if signal:
                raise InterruptionError(signal, "the evaluation was stopped before its end")

    def _scored(
        self,
        images: np.ndarray,
        features: list[Tensor],
        wanted: Callable[[int], np.ndarray | None],
        texts: Encoded,
        coarse: int | None,
    ) -> np.ndarray:
        """Return the scores of images with texts, `[n, distinct texts]` float32."""
        if coarse is not None:
            features = [condensed(one[None], coarse)[0] for one in features]
        scores = np.full((len(images), len(texts.lengths)), NOT_SCORED, np.float32)
        chosen = [wanted(image) for image in images.tolist()]
        everything = np.arange(len(texts.lengths))
        if chosen[0] is None:
            for start in range(0, len(everything), self._batch):
                some = everything[start : start + self._batch]
                text = texts.take(some, features[0].device)
                for place in range(len(images)):
                    scores[place, some] = self._pairs(text, features[place])
            return scores
        for place, of_image in enumerate(chosen):
            assert of_image is not None
            for start in range(0, len(of_image), self._batch):
                some = of_image[start : start + self._batch]
                text = texts.take(some, features[0].device)
                scores[place, some] = self._pairs(text, features[place])
        return scores

    def _pairs(self, text: Features, image: Tensor) -> np.ndarray:
        """Return the scores of an image `[tokens, width]` with some texts, `[texts]` float32."""
        vision = Features(tokens=image.expand(text.rows, *image.shape))
        scores = self._objectives.score_pairs(self._head, text, vision)  # [texts, 1]
        found: np.ndarray = scores[:, 0].float().cpu().numpy()
        return found

    def _scratch(self) -> np.ndarray:
        """Return a table on the disk, which goes when nobody holds it any more."""
        home: Path = self._session.home
        home.mkdir(parents=True, exist_ok=True)
        shape = (len(self.sought.names), len(self.sought.rows))
        with tempfile.TemporaryFile(dir=home) as file:
            table = np.memmap(file, np.float32, "w+", shape=shape)
        table[:] = NOT_SCORED
        return table

    def _answered(self, found: Found, top: np.ndarray, scores: np.ndarray | None) -> Answered:
        part = self._data.part(self._split)
        rows, sought = self.sought.rows, self.sought
        image = np.repeat(np.arange(len(sought.names)), np.diff(sought.starts))
        order = np.argsort(rows)
        there = order[self.readable[image[order]]]
        targets = np.zeros(len(part.table), np.int64)
        targets[rows] = image
        place = np.searchsorted(np.sort(rows), rows)  # [texts]
        return Answered(
            table=part.table,
            asked=np.sort(part.rows),
            rows=rows[there],
            predictions=top[there],
            probabilities=np.full(len(there), np.nan, np.float32),
            answers=tuple(sought.names),
            targets=OwnImages(images=targets),
            searched=Searched(
                metrics=found.metrics,
                means=found.means(place, sought.starts),
                chance=by_chance(sought.starts, folds=self._task.set == "coco"),
                scores=scores,
                images=tuple(sought.names),
                texts=tuple(sought.ids),
                sentence=self._sentence(),
            ),
        )

    def _sentence(self) -> str:
        sought, best = self.sought, self._task.best
        images, texts = int(self.readable.sum()), len(sought.rows)
        once = f"{images:,} images and {len(sought.first):,} distinct texts were encoded once each"
        if best == "all":
            return f"{once}; all {images * texts:,} pairs were scored"
        return (
            f"{once}; of {images * texts:,} pairs those were scored in full that are among the "
            f"best {best} of their text or image by the score on {self._task.coarse} means of the "
            "image's tokens: what is not among them is not found"
        )


def ask(
    session: Session, objectives: Objectives, data: JobData, split: str, precision: Precision
) -> tuple[Answered, None]:
    """Score the pairs of a split; all processes come here together.

    Returns:
        What is found for each text, and no loss.

    Raises:
        InterruptionError: if a signal asked to stop.
    """
    return Search(session, objectives, data, split, precision).ask()


def _each(features: Features) -> list[Tensor]:
    """Return `[tokens, width]` of each row, without padding."""
    rows = features.padded()
    if rows.mask is None:
        return list(rows.tokens)
    return [tokens[mask] for tokens, mask in zip(rows.tokens, rows.mask, strict=True)]


def condensed(features: Tensor, count: int) -> Tensor:
    """Return the first token of images `[n, tokens, width]`, and means of the others, in order."""
    if features.shape[1] <= count + 1:
        return features
    means = F.adaptive_avg_pool1d(features[:, 1:].transpose(1, 2), count)  # [n, width, count]
    return torch.cat([features[:, :1], means.transpose(1, 2)], dim=1)


def _chosen(scores: np.ndarray, best: int) -> np.ndarray:
    """Return `[images, texts]` bool: pairs among the best of their image or text, ties too."""
    images, texts = scores.shape
    chosen = np.empty(scores.shape, bool)
    kept = np.full((0, texts), NOT_SCORED, np.float32)
    for start in range(0, images, MEASURED_ROWS):
        block = np.asarray(scores[start : start + MEASURED_ROWS])
        least = np.partition(block, texts - min(best, texts), axis=1)[:, texts - min(best, texts)]
        chosen[start : start + MEASURED_ROWS] = block >= least[:, None]
        kept = np.concatenate([kept, block])
        if len(kept) > best:
            kept = np.partition(kept, len(kept) - best, axis=0)[len(kept) - best :]
    least = kept.min(axis=0)
    for start in range(0, images, MEASURED_ROWS):
        rows = slice(start, start + MEASURED_ROWS)
        chosen[rows] |= np.asarray(scores[rows]) >= least
        chosen[rows] &= np.asarray(scores[rows]) > NOT_SCORED
    return chosen


def _blocks(scores: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(scores), MEASURED_ROWS):
        block = np.asarray(scores[start : start + MEASURED_ROWS])
        yield np.arange(start, start + len(block)), block


def _top(scores: np.ndarray) -> np.ndarray:
    """Return `[texts]` int64: the image that each text finds first."""
    best = np.full(scores.shape[1], NOT_SCORED, np.float32)
    top = np.zeros(scores.shape[1], np.int64)
    for images, block in _blocks(scores):
        place = block.argmax(axis=0)
        here = block[place, np.arange(len(top))]
        better = here > best
        top[better], best[better] = images[place[better]], here[better]
    return top


def _cumulative(lengths: Tensor) -> Tensor:
    ends = lengths.cumsum(0).to(torch.int32)
    return torch.cat([ends.new_zeros(1), ends])
