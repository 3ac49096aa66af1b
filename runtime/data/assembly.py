"""From chosen texts to the batches that a model reads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from renaissance.runtime.data.batch import (
    MaskedText,
    Matching,
    PartlyEncoded,
    PartlyEncodedTexts,
    PretrainBatch,
    TaskBatch,
    TextRows,
)
from renaissance.runtime.data.corpus import Split
from renaissance.runtime.data.masking import Chances, mask_words
from renaissance.runtime.data.matching import NONE, negatives_of_batch, negatives_of_data
from renaissance.runtime.data.pixels import Augment, augmented
from renaissance.runtime.data.tokenizer import Tokenizer
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.features.known import KnownTexts
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm

Batch = PretrainBatch | TaskBatch


class Assembler(Protocol):
    """Makes batches of texts that were chosen."""

    @property
    def split(self) -> Split:
        """Where the texts come from."""
        ...

    def batches(
        self, rows: np.ndarray, parts: Sequence[np.ndarray], *, purpose: str, step: int
    ) -> tuple[Batch, ...]:
        """Assemble parts of a global batch.

        Args:
            rows: `[rows]` int64, the texts of the whole global batch.
            parts: places in `rows` of the texts that are wanted, a batch each.
            purpose: `train`, or the name of another split: keeps random choices apart.
            step: number of the global batch.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAssembler:
    """Labelled questions.

    Attributes:
        split: where the texts come from.
        pad_id: token that fills texts up.
        augment: random changes of images.
        seed: the job's seed.
        replace: put another question in the place of one whose image cannot be read; leave it out
            if False, as an evaluation must.
        known: features of texts; None where none are kept.
    """

    split: Split
    pad_id: int
    augment: Augment
    seed: int
    replace: bool
    known: KnownTexts | None = None

    def batches(
        self, rows: np.ndarray, parts: Sequence[np.ndarray], *, purpose: str, step: int
    ) -> tuple[Batch, ...]:
        """Assemble parts of a global batch; a part without a readable image is left out."""
        corpus = self.split.corpus
        batches: list[Batch] = []
        for part in parts:
            mine = rows[part]
            if self.replace:
                mine = self.split.readable_rows(mine)
            else:
                mine = mine[corpus.images.readable(corpus.image_of_row[mine])]
            if len(mine) == 0:
                continue
            shown, image_index = np.unique(corpus.image_of_row[mine], return_inverse=True)
            text = corpus.tokens.padded(mine, self.pad_id)
            assert corpus.labels is not None  # a task's corpus has labels
            batches.append(
                TaskBatch(
                    images=_inputs(self.split, shown, self.augment, self.seed, step),
                    image_index=torch.from_numpy(image_index),
                    text=_text_rows(text),
                    labels=torch.from_numpy(corpus.labels[mine]),
                    samples=torch.from_numpy(mine),
                    known=None if self.known is None else _partly_encoded(text, self.known),
                )
            )
        corpus.images.release()
        return tuple(batches)


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainAssembler:
    """Image-text pairs with masked words and other images.

    Attributes:
        split: where the texts come from.
        tokenizer: of the texts.
        augment: random changes of images.
        seed: the job's seed.
        mlm: the objective; None without it.
        itm: the objective; None without it.
        known: features of unmasked texts; None where none are kept.
    """

    split: Split
    tokenizer: Tokenizer
    augment: Augment
    seed: int
    mlm: Mlm | None
    itm: Itm | None
    known: KnownTexts | None = None

    def batches(
        self, rows: np.ndarray, parts: Sequence[np.ndarray], *, purpose: str, step: int
    ) -> tuple[Batch, ...]:
        """Assemble parts of a global batch; masks and other images are those of the whole."""
        corpus = self.split.corpus
        chances = self._chances(len(rows), purpose, step)
        drawn = self._drawn(rows, purpose, step)
        batches: list[Batch] = []
        for part in parts:
            mine = self.split.readable_rows(rows[part])
            own = corpus.image_of_row[mine]
            pairs = own[:, None]
            if drawn is not None:
                pairs = np.hstack([pairs, self.split.readable_negatives(mine, drawn[part])])
            shown, index = np.unique(pairs, return_inverse=True)
            index = index.reshape(pairs.shape)
            text = corpus.tokens.padded(mine, self.tokenizer.pad_id)
            batches.append(
                PretrainBatch(
                    images=_inputs(self.split, shown, self.augment, self.seed, step),
                    image_index=torch.from_numpy(index[:, 0].copy()),
                    text=_text_rows(text),
                    masked=None if chances is None else self._masked(text, chances.part(part)),
                    matching=None if self.itm is None else _matching(index, text),
                    known=None if self.known is None else _partly_encoded(text, self.known),
                )
            )
        corpus.images.release()
        return tuple(batches)

    def _chances(self, rows: int, purpose: str, step: int) -> Chances | None:
        if self.mlm is None:
            return None
        # As many for each text as the longest of all has tokens: what a text gets does not
        # depend on the texts beside it.
        widest = int(self.split.corpus.tokens.lengths.max())
        return Chances.draw(rows, widest, self.seed, f"mask {purpose}", step)

    def _drawn(self, rows: np.ndarray, purpose: str, step: int) -> np.ndarray | None:
        if self.itm is None:
            return None
        corpus, choices = self.split.corpus, self.split.choices
        assert corpus.truths is not None  # a corpus that is matched has them
        images, count, purpose = corpus.image_of_row[rows], self.itm.negatives, f"match {purpose}"
        near = partial(negatives_of_batch, truths=corpus.truths, seed=self.seed, number=step)
        far = partial(
            negatives_of_data, choices=choices, truths=corpus.truths, seed=self.seed, number=step
        )
        if self.itm.draw == "data":
            return far(rows, images, count, purpose=purpose)
        drawn = near(rows, images, count, purpose=purpose)
        none = drawn[:, 0] == NONE
        if none.any():
            drawn[none] = far(rows[none], images[none], count, purpose=f"{purpose} far")
        return drawn

    def _masked(self, text: Padded, chances: Chances) -> MaskedText:
        assert self.mlm is not None and self.tokenizer.mask_id is not None  # checked by the job
        masked = mask_words(
            text,
            chances,
            probability=self.mlm.probability,
            whole_word=self.mlm.whole_word,
            mask_id=self.tokenizer.mask_id,
            ordinary_ids=self.tokenizer.ordinary_ids,
        )
        place = np.cumsum(text.present) - 1
        return MaskedText(
            text=_text_rows(replace(text, ids=masked.ids)),
            positions=torch.from_numpy(place[masked.positions]),
            labels=torch.from_numpy(masked.labels),
        )


def _matching(index: np.ndarray, text: Padded) -> Matching:
    """Pair texts with images: `[rows, 1 + count]` indices, the text's own image first.

    A pair whose other image is the text's own, because there is no other, is left out.
    """
    rows, pairs = index.shape
    labels = np.zeros((pairs, rows), np.int64)
    labels[0] = 1
    image = index.T
    kept = (labels == 1) | (image != image[0])
    row = np.tile(np.arange(rows), (pairs, 1))[kept]
    return Matching(
        image_index=torch.from_numpy(image[kept]),
        row_index=torch.from_numpy(row),
        labels=torch.from_numpy(labels[kept]),
        tokens=int(text.lengths[row].sum()),
    )


def _text_rows(text: Padded) -> TextRows:
    ends = np.cumsum(text.lengths, dtype=np.int32)
    return TextRows(
        input_ids=torch.from_numpy(text.ids[text.present]),
        cumulative=torch.from_numpy(np.concatenate([np.zeros(1, np.int32), ends])),
        longest=text.present.shape[1],
    )


def _partly_encoded(text: Padded, known: KnownTexts) -> PartlyEncodedTexts:
    """Look up the features of texts; a text that several rows have is looked up once."""
    contents = known.digests(
        ids[:tokens] for ids, tokens in zip(text.ids, text.lengths.tolist(), strict=True)
    )
    rows: dict[bytes, int] = {}
    for row, content in enumerate(contents):
        rows.setdefault(content, row)
    entries = known.read(list(rows))
    distinct = np.array(list(rows.values()))
    missing, found = distinct[~entries.found], distinct[entries.found]
    ordered = np.append(missing, found)
    place = {contents[row]: number for number, row in enumerate(ordered.tolist())}
    ends = np.cumsum(text.lengths[ordered], dtype=np.int32)
    return PartlyEncodedTexts(
        input_ids=torch.from_numpy(text.ids[missing][text.present[missing]]),
        lengths=tuple(text.lengths[missing].tolist()),
        contents=tuple(contents[row] for row in missing.tolist()),
        features=entries.tokens,
        cumulative=torch.from_numpy(np.concatenate([np.zeros(1, np.int32), ends])),
        longest=text.present.shape[1],
        order=torch.tensor([place[content] for content in contents]),
        tokens=int(text.lengths.sum()),
    )


def _inputs(
    split: Split, images: np.ndarray, augment: Augment, seed: int, step: int
) -> Tensor | PartlyEncoded:
    if split.corpus.images.features is None:
        return _pixels(split, images, augment, seed, step)
    known, features, contents = split.corpus.images.encoded(images)
    missing = np.flatnonzero(~known)
    order = np.empty(len(images), np.int64)
    order[np.append(missing, np.flatnonzero(known))] = np.arange(len(images))
    return PartlyEncoded(
        pixels=_pixels(split, images[missing], augment, seed, step),
        contents=tuple(contents[place] for place in missing.tolist()),
        features=features,
        order=torch.from_numpy(order),
    )


def _pixels(split: Split, images: np.ndarray, augment: Augment, seed: int, step: int) -> Tensor:
    pixels = split.corpus.images.pixels(images)
    if augment == "randaugment":
        pixels = augmented(pixels, images, seed, step)
    return torch.from_numpy(pixels)
