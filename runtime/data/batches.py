"""From chosen rows to the batches that a model reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from renaissance.compiler.batch import (
    Batch,
    HiddenPixels,
    PartlyEncoded,
    Pixels,
    RegionRows,
    ShapedImages,
    Shown,
    Texts,
)
from renaissance.grammar.kinds.augmentation import AugmentationBlock
from renaissance.runtime.data.corpus import Split
from renaissance.runtime.data.images import Images
from renaissance.runtime.data.items import pair_items, patch_items
from renaissance.runtime.data.pixels import augmented
from renaissance.runtime.data.places import HiddenImages, Places, of_stream
from renaissance.runtime.data.regions import RegionFiles
from renaissance.runtime.data.text_rows import partly_encoded, plain_texts, text_rows
from renaissance.runtime.data.tokens import Padded
from renaissance.runtime.data.wanted import Makers, TextMaker, Wanted
from renaissance.runtime.feature_cache.known import KnownTexts


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembler:
    """Makes batches of rows that were chosen.

    Attributes:
        split: where the rows come from.
        makers: make the items of all objectives, or of the task.
        pad_id: token that fills texts up.
        augment: random changes of images, one after the other.
        seed: the job's seed.
        replace: put another row in the place of one whose images cannot be read; leave it out if
            False, as an evaluation must.
        known: features of texts that are as they are; None where none are kept.
    """

    split: Split
    makers: Makers
    pad_id: int
    augment: Sequence[AugmentationBlock]
    seed: int
    replace: bool
    known: KnownTexts | None = None

    def batches(
        self, rows: np.ndarray, parts: Sequence[np.ndarray], *, purpose: str, step: int
    ) -> tuple[Batch, ...]:
        """Assemble parts of a global batch; random choices are those of the whole.

        Args:
            rows: `[rows]` int64, the texts of the whole global batch.
            parts: places in `rows` of the texts that are wanted, a batch each; one without a
                readable image is left out.
            purpose: `train`, or the name of another split: keeps random choices apart.
            step: number of the global batch.
        """
        drawn = {
            name: maker.draw(rows, purpose=purpose, step=step)
            for name, maker in self.makers.items()
        }
        batches = []
        for part in parts:
            if self.replace:
                mine = self.split.readable_rows(rows[part])
            else:
                part = part[self.split.readable(rows[part])]
                mine = rows[part]
            if len(mine):
                batches.append(self._batch(mine, part, drawn, step))
        self.split.corpus.images.release()
        return tuple(batches)

    def _batch(
        self, rows: np.ndarray, part: np.ndarray, drawn: Mapping[str, Any], step: int
    ) -> Batch:
        text, wanted = self._wanted(rows, part, drawn)
        whole = [one for one in wanted.values() if one.hidden is None or one.whole]
        shown = {name: self._shown(name, whole, step) for name in self.split.corpus.images.readers}
        streams, places = list(shown), [place for _, place in shown.values()]
        covered = [one for one in wanted.values() if one.hidden is not None]
        hidden = self._hidden(covered[0], step) if covered else None
        texts, text_places = self._texts(text, wanted)
        return Batch(
            images=shown[streams[0]][0],
            texts=texts,
            items={
                name: pair_items(one, text, text_places[name], places)
                if one.hidden is None or hidden is None
                else patch_items(one, text, text_places[name], places[0], hidden)
                for name, one in wanted.items()
            },
            rows=len(rows),
            hidden=() if hidden is None else hidden.shown,
            more={name: shown[name][0] for name in streams[1:]},
        )

    def _wanted(
        self, rows: np.ndarray, part: np.ndarray, drawn: Mapping[str, Any]
    ) -> tuple[Padded, dict[str, Wanted]]:
        """Return the tokens of all texts that are read, and what is asked of them."""
        shown = [rows]
        for name, maker in self.makers.items():
            if isinstance(maker, TextMaker):
                shown.append(maker.texts(rows, part, drawn[name]))
        text = self.split.corpus.tokens.padded(np.concatenate(shown), self.pad_id)
        return text, {
            name: maker.items(rows, text, part, drawn[name]) for name, maker in self.makers.items()
        }

    def asked(self, rows: np.ndarray, *, purpose: str) -> "Asked":
        """Return a batch of rows `[n]` int64, together with what it is made from."""
        rows = self.split.readable_rows(rows)
        part = np.arange(len(rows))
        drawn = {
            name: maker.draw(rows, purpose=purpose, step=0) for name, maker in self.makers.items()
        }
        text, wanted = self._wanted(rows, part, drawn)
        (batch,) = self.batches(rows, [part], purpose=purpose, step=0)
        return Asked(rows=rows, text=text, wanted=wanted, batch=batch)

    def plain_texts(self, rows: np.ndarray) -> tuple[Texts, np.ndarray]:
        """Return texts as they are, and `[n]` int64, which of them each of the rows `[n]` has."""
        text = self.split.corpus.tokens.padded(rows, self.pad_id)
        if self.known is None:
            return plain_texts(text), np.arange(len(rows))
        cached, places = partly_encoded(text, self.known)
        return Texts(encoded=None, cached=cached), places

    def _shown(self, stream: str, wanted: Sequence[Wanted], step: int) -> tuple[Shown, Places]:
        """Return what a stream reads of each distinct image that it is shown, and where it is."""
        pictures = self.split.corpus.images
        column = pictures.place[stream]
        numbers = [of_stream(one.image, column) for one in wanted]
        shown = np.unique(np.concatenate([np.zeros(0, np.int64), *numbers]))
        shown = shown[shown >= 0]
        plain = Places(column=column, numbers=shown, places=np.arange(len(shown)))
        images = pictures.readers[stream]
        if isinstance(images, RegionFiles):
            return images.rows(shown), plain
        if images.features is None or not len(shown):
            groups = _by_shape(images, np.arange(len(shown)), shown)
            places = np.argsort(np.concatenate(groups))
            plain = Places(column=column, numbers=shown, places=places)
            return self._pixels(images, groups, shown, step), plain
        entries, contents = images.encoded(shown)
        groups = _by_shape(images, np.flatnonzero(~entries.found), shown)
        missing = np.concatenate(groups)
        places = np.argsort(np.append(missing, np.flatnonzero(entries.found)))
        uniform = len(np.unique(entries.lengths)) <= 1
        tokens = int(entries.lengths.max(initial=0))
        shape = (len(entries.lengths), tokens, entries.tokens.shape[-1])
        encoded = PartlyEncoded(
            pixels=self._pixels(images, groups, shown, step),
            contents=tuple(contents[place] for place in missing.tolist()),
            features=entries.tokens.view(shape) if uniform else entries.tokens,
            lengths=None if uniform else tuple(entries.lengths.tolist()),
        )
        return encoded, Places(column=column, numbers=shown, places=places)

    def _hidden(self, wanted: Wanted, step: int) -> HiddenImages:
        """Return the distinct images of pairs, and what is hidden of them."""
        assert wanted.hidden is not None  # it hides patches
        pictures = self.split.corpus.images
        stream = next(iter(pictures.readers))
        images = pictures.readers[stream]
        column = pictures.place[stream]
        shown, first = np.unique(of_stream(wanted.image, column), return_index=True)
        if isinstance(images, RegionFiles):
            return _hidden_regions(wanted, images.rows(shown), first, column, shown)
        images.decode(shown)
        groups = _by_shape(images, np.arange(len(shown)), shown)
        pixels = self._pixels(images, groups, shown, step)
        masks = [np.stack([wanted.hidden[first[place]] for place in group]) for group in groups]
        shapes = (pixels,) if isinstance(pixels, Tensor) else pixels.groups
        return HiddenImages(
            shown=tuple(
                HiddenPixels(pixels=shape, mask=torch.from_numpy(mask))
                for shape, mask in zip(shapes, masks, strict=True)
            ),
            masks=[mask for group in masks for mask in group],
            places=Places(column=column, numbers=shown, places=np.argsort(np.concatenate(groups))),
        )

    def _pixels(
        self, images: Images, groups: Sequence[np.ndarray], shown: np.ndarray, step: int
    ) -> Pixels:
        """Return the pixels of images `shown` `[n]`, those at the places of each group together."""
        found = []
        for group in groups:
            pixels = images.pixels(shown[group])
            if self.augment and len(group):
                pixels = augmented(pixels, shown[group], self.augment, seed=self.seed, step=step)
            found.append(torch.from_numpy(pixels))
        return found[0] if len(found) == 1 else ShapedImages(groups=tuple(found))

    def _texts(
        self, text: Padded, wanted: Mapping[str, Wanted]
    ) -> tuple[Texts, dict[str, np.ndarray]]:
        """Return changed texts and, behind them, plain ones; by head, where each row's text is."""
        rows = len(text.ids)
        encoded: list[np.ndarray] = []
        places: dict[str, np.ndarray] = {}
        for name, one in wanted.items():
            if one.ids is not None:
                places[name] = np.arange(rows) + rows * len(encoded)
                encoded.append(one.ids)
        changed, cached = len(encoded), None
        plain = np.arange(rows)
        if len(places) < len(wanted) and self.known is not None:
            cached, plain = partly_encoded(text, self.known)
        elif len(places) < len(wanted):
            encoded.append(text.ids)
        for name in wanted.keys() - places.keys():
            places[name] = plain + rows * changed
        return Texts(encoded=text_rows(encoded, text), cached=cached), places


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A batch, and what it is made from.

    Attributes:
        rows: `[n]` int64, rows of the table.
        text: their tokens, and behind them those of other texts that are read.
        wanted: what is asked of them, by name of the head, in the order of the items.
        batch: as a model reads it.
    """

    rows: np.ndarray
    text: Padded
    wanted: Mapping[str, Wanted]
    batch: Batch


def _by_shape(images: Images, places: np.ndarray, shown: np.ndarray) -> list[np.ndarray]:
    """Return places `[n]` of `shown` by the shape of the image there, ascending in each."""
    shapes = images.shapes(shown[places])
    if (shapes == shapes[:1]).all():
        return [places]
    kinds, kind = np.unique(shapes, axis=0, return_inverse=True)
    return [places[kind.flatten() == number] for number in range(len(kinds))]


def _hidden_regions(
    wanted: Wanted, rows: RegionRows, first: np.ndarray, column: int, shown: np.ndarray
) -> HiddenImages:
    """Return images `[n]` with features as they are shown.

    Args:
        wanted: what is hidden, by pair.
        rows: regions of the images as they are.
        first: `[n]` int64, a pair of each.
        column: which of the images of a pair they are.
        shown: `[n]` numbers of the images.
    """
    assert wanted.hidden is not None and wanted.changed is not None  # it hides regions
    for image, pair in enumerate(first.tolist()):
        changed = torch.from_numpy(wanted.changed[pair])
        rows.features[image, : len(changed)] = changed
    places = Places(column=column, numbers=shown, places=np.arange(len(shown)))
    return HiddenImages(shown=rows, masks=[wanted.hidden[pair] for pair in first], places=places)
