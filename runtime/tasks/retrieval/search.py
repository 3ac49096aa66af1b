"""Scoring all pairs of a split: every image and every text is encoded once.

Texts are encoded first and held in memory, packed. Images are encoded block by block; those of a
block are joined with all texts, one image with as many texts a pass as the evaluation's `batch`.
Where a model compares vectors of texts and images, all are compared by one matrix product
a block instead, or, where a head scores joined pairs too, to choose those that it scores.
Processes share the images. The scores lie on the disk of the first process, which measures them
block by block, as `renaissance score` does with a file.
"""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from renaissance.compiler.matching import Matching
from renaissance.compiler.model.features import Features
from renaissance.compiler.step import Objectives
from renaissance.grammar.schema.jobs import Evaluate, Finetune
from renaissance.runtime.data import JobData
from renaissance.runtime.data.moving import moved
from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.precision import Precision
from renaissance.runtime.tasks.answered import Answered, Searched
from renaissance.runtime.tasks.retrieval.best import NOT_SCORED, blocks_of, chosen_of, first_of
from renaissance.runtime.tasks.retrieval.ranks import Found, by_chance, measure_scores
from renaissance.runtime.tasks.retrieval.reader import OwnImages
from renaissance.runtime.tasks.retrieval.schema import Retrieval
from renaissance.runtime.tasks.retrieval.sought import Encoded, Sought
from renaissance.runtime.training.session import Session

TEXTS_AT_ONCE = 1024
"""Texts that are encoded at once, at most."""


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
        job, asked = session.spec.jobs[session.name], session.spec.data_job(session.name)
        assert isinstance(asked, Finetune) and isinstance(asked.task, Retrieval)
        assert isinstance(job, Evaluate)
        self._task, self._batch = asked.task, job.batch
        self._head = asked.task.head_name()
        self._matching = None if job.task is None else Matching(objectives)
        self._kept: dict[int, Tensor] = {}
        self.sought = Sought.of(data, split)
        self.readable = np.zeros(len(self.sought.names), bool)

    def ask(self) -> tuple[Answered, None]:
        """Score what is to be scored and measure it; all processes come here together."""
        sought, first = self.sought, self._processes.first
        with torch.no_grad(), self._precision.forward():
            texts = self._texts()
            if self._by_products:
                scores = self._table(self._images(), partial(self._compared, texts))
            elif self._task.best == "all":
                scores = self._table(self._images(), partial(self._joined, texts))
            else:
                scores = self._best(texts, self._task.best)
        found, top = None, np.zeros(len(sought.rows), np.int64)
        if first:
            assert scores is not None
            # An image that cannot be read is not found and finds nothing.
            scores[~self.readable] = NOT_SCORED
            found = measure_scores(
                sought.starts, lambda: blocks_of(scores), folds=self._task.set == "coco"
            )
            top = first_of(scores)
        found, top = self._processes.of_first((found, top))
        assert found is not None  # by the first process
        return self._answered(found, top, scores), None

    def _texts(self) -> Encoded:
        """Encode every distinct text once."""
        rows = self.sought.rows[self.sought.first]
        tokens, lengths, vectors = [], [], []
        for start in range(0, len(rows), min(self._batch, TEXTS_AT_ONCE)):
            chunk = rows[start : start + min(self._batch, TEXTS_AT_ONCE)]
            given, places = self._data.plain_texts(self._split, chunk)
            encoded = self._objectives.encode_texts(given.to(self._processes.device)).packed()
            assert encoded.packing is not None  # as packed
            index = torch.from_numpy(places).to(self._processes.device)
            total = int(encoded.packing.lengths[index].sum())
            chosen = encoded.select(index, total)
            assert chosen.packing is not None
            lengths.append(chosen.packing.lengths.cpu().long())
            if not self._by_products:
                tokens.append(chosen.tokens.cpu())
            if self._compares is not None:
                vectors.append(self._compares.vectors("text", chosen))
        return Encoded(
            tokens=torch.cat(tokens) if tokens else torch.empty(0),
            lengths=torch.cat(lengths),
            vectors=torch.cat(vectors) if vectors else None,
        )

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
        """Score all pairs by less, and in full those that are best so."""
        cheap = self._coarse if self._compares is None else self._compared
        coarse = self._table(self._kept_images(), partial(cheap, texts))
        chosen = chosen_of(coarse, best) if coarse is not None else None
        packed = np.zeros(0, np.uint8) if chosen is None else np.packbits(chosen, axis=1)
        packed = self._processes.of_first(packed)
        wide = np.unpackbits(packed, axis=1, count=len(self.sought.rows)).astype(bool)

        def wanted(image: int) -> np.ndarray:
            return np.unique(self.sought.distinct[wide[image]])

        return self._table(self._held(), partial(self._joined, texts, wanted=wanted))

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
        scored: Callable[[np.ndarray, list[Tensor]], np.ndarray],
    ) -> np.ndarray | None:
        """Return the scores of all processes, `[images, texts]` on the disk of the first one.

        Args:
            blocks: images `[n]` int64 and the features `[tokens, width]` of each.
            scored: scores them with every distinct text, `[n, distinct texts]` float32.
        """
        table = self._scratch() if self._processes.first else None
        done = 0
        while True:
            block = next(blocks, None)
            mine = None if block is None else (block[0], scored(*block))
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

    def _compared(self, texts: Encoded, images: np.ndarray, features: list[Tensor]) -> np.ndarray:
        """Return the products of the vectors of images and texts, `[images, texts]`."""
        assert self._compares is not None and texts.vectors is not None
        one_by_one = [
            self._compares.vectors("vision", Features(tokens=tokens[None])) for tokens in features
        ]
        scores = self._compares.compared(torch.cat(one_by_one), texts.vectors)
        found: np.ndarray = scores.cpu().numpy()
        return found

    def _coarse(self, texts: Encoded, images: np.ndarray, features: list[Tensor]) -> np.ndarray:
        """Return the scores on a few means of each image."""
        few = [condensed(tokens[None], self._task.coarse)[0] for tokens in features]
        return self._joined(texts, images, few)

    def _joined(
        self,
        texts: Encoded,
        images: np.ndarray,
        features: list[Tensor],
        wanted: Callable[[int], np.ndarray] | None = None,
    ) -> np.ndarray:
        """Return the scores of images that are joined with all texts, or with those wanted."""
        scores = np.full((len(images), len(texts.lengths)), NOT_SCORED, np.float32)
        everything = np.arange(len(texts.lengths))
        if wanted is None:
            for start in range(0, len(everything), self._batch):
                some = everything[start : start + self._batch]
                text = texts.take(some, features[0].device)
                for place in range(len(images)):
                    scores[place, some] = self._pairs(text, features[place])
            return scores
        for place, of_image in enumerate(map(wanted, images.tolist())):
            for start in range(0, len(of_image), self._batch):
                some = of_image[start : start + self._batch]
                text = texts.take(some, features[0].device)
                scores[place, some] = self._pairs(text, features[place])
        return scores

    def _pairs(self, text: Features, image: Tensor) -> np.ndarray:
        """Return the scores of an image `[tokens, width]` with some texts, `[texts]` float32."""
        vision = Features(tokens=image.expand(text.rows, *image.shape))
        if self._matching is None:
            scores = self._objectives.score_pairs(self._head, text, vision)[:, 0]
        else:
            scores = self._matching.joined(text, vision)
        found: np.ndarray = scores.float().cpu().numpy()
        return found

    @property
    def _compares(self) -> Matching | None:
        """What compares vectors; None where nothing does."""
        return self._matching if self._matching is not None and self._matching.compares else None

    @property
    def _by_products(self) -> bool:
        """Whether nothing but vectors is compared."""
        return self._compares is not None and not self._compares.joins

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
        if self._by_products:
            return f"{once}; all {images * texts:,} pairs were scored by the product of vectors"
        if best == "all":
            return f"{once}; all {images * texts:,} pairs were scored"
        by = (
            f"the score on {self._task.coarse} means of the image's tokens"
            if self._compares is None
            else "the product of their vectors"
        )
        return (
            f"{once}; of {images * texts:,} pairs those were scored in full that are among the "
            f"best {best} of their text or image by {by}: what is not among them is not found"
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
