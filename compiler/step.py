"""What a training step computes: streams, pairs, heads, losses.

`runtime/` runs it on batches of data, and `planning/` on batches without contents.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import reduce
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from renaissance.compiler.backbones import normalisation
from renaissance.compiler.batch import (
    Batch,
    Items,
    PartlyEncoded,
    Pixels,
    RegionRows,
    ShapedImages,
    Shown,
    Texts,
)
from renaissance.compiler.comparing import Compare, Rows
from renaissance.compiler.hard_negatives import with_hard_negatives
from renaissance.compiler.heads import kinds_of
from renaissance.compiler.losses import Scored, cross_entropy, unmeasured
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.features import Features, below, stacked
from renaissance.compiler.model.inputs import ImageInput
from renaissance.compiler.model.patches import HiddenImages
from renaissance.compiler.model.readings import Reading
from renaissance.compiler.model.tower import TowerFacts
from renaissance.compiler.moving import moving_of
from renaissance.compiler.normalisation import Normalisation
from renaissance.grammar.kinds.head import Reads
from renaissance.grammar.kinds.registry import KindError, facet, optional_facet, origin
from renaissance.grammar.kinds.source import modality, reads_pixels
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model


class Objectives(nn.Module):
    """A model together with the losses of a job.

    Each distinct image and text of a batch is encoded once, and one pass of the fusion serves all
    objectives.

    Args:
        model: with the job's heads.
        declared: its declaration, which says what each stream reads.
        job: whose objectives, or whose task, are asked for.

    Attributes:
        kinds: the objectives or the task, by name of the head.
        normalised: makes what each stream of images reads of bytes, by its name.
        moving: what follows the model and is compared with it in training, by name of the head.
        images_a_pair: distinct images that one row of the fusion reads.
        cached: encodes inputs of which some features are kept, by name of the stream; empty where
            none are kept.
    """

    def __init__(
        self, model: VisionLanguageModel, declared: Model, job: Pretrain | Finetune
    ) -> None:
        """Find the stream of texts and those of images."""
        super().__init__()
        self.model = model
        self.kinds = kinds_of(job)
        streams = {name: declared.streams[name] for name in declared.fusion.inputs}
        self._text = next(name for name, one in streams.items() if modality(one) == "text")
        self._vision = tuple(name for name, one in streams.items() if modality(one) == "vision")
        self.normalised = {
            name: Normalisation(*normalisation(streams[name]))
            for name in self._vision
            if reads_pixels(streams[name])
        }
        self.moving = moving_of(self.kinds, declared.fusion.space)
        self.images_a_pair = declared.images_a_pair
        self.cached: Mapping[str, Callable[..., Features]] = {}

    @property
    def metrics(self) -> dict[str, str]:
        """What the mean credit of items is called, by name of the head."""
        return {name: kind.metric for name, kind in self.kinds.items()}

    @property
    def further_metrics(self) -> tuple[str, ...]:
        """What else is measured of items."""
        kinds = self.kinds.values()
        return tuple(name for kind in kinds for name in getattr(kind, "further_metrics", ()))

    @property
    def compares(self) -> bool:
        """Whether an objective compares all rows of a global batch."""
        return any(head.reads == "streams" for head in self.model.heads.declared.values())

    def forward(
        self, batch: Batch, compare: Compare | None = None, *, only_vectors: bool = False
    ) -> dict[str, Scored] | dict[str, Rows]:
        """Score a batch, by name of the head.

        Args:
            batch: what a pass reads.
            compare: compares its rows with all rows of the global batch, where an objective does
                so; with each other, as the whole of it, if None.
            only_vectors: return what is compared, and compute nothing else.
        """
        paired = self._reading_by(batch.items, "tokens", "patches", "pooled")
        apart = self._reading_by(batch.items, "streams")
        hidden = self._hidden(batch)
        vision = self._encode_shown(batch, hidden) if paired or apart else {}
        texts = self.encode_texts(batch.texts)
        rows = self._rows(texts, vision, apart) if apart else {}
        if only_vectors:
            return rows
        compare = compare or (lambda name, own: self.compared(name, own, own, 0))
        scored = {name: compare(name, own) for name, own in rows.items()}
        paired = {name: self._drawn(one, apart, rows) for name, one in paired.items()}
        read = self._joined(vision, texts, paired) if paired else {}
        for name, one in self._reading_by(batch.items, "text").items():
            read[name] = self.model.alone(self._text, texts.select(one.text, one.tokens))
        wanted = {
            name: self._with_target(name, one, vision, hidden) for name, one in batch.items.items()
        }
        scored |= {name: self._scored(name, part, wanted[name]) for name, part in read.items()}
        return {name: scored[name] for name in batch.items}

    def compared(self, name: str, own: Rows, everything: Rows, first: int) -> Scored:
        """Compare rows with all rows of a global batch, among which they stand from `first` on."""
        kind, head = self.kinds[name], self.model.heads[name]
        device = own.text.device.type
        # Cosines are compared in float32, whatever the precision of what they are made of.
        exact = nullcontext() if device == "meta" else torch.autocast(device, enabled=False)
        with exact:
            loss = facet(kind, "loss")
            return _scored_by(kind, loss, loss.loss(kind, head, own, everything, first))

    def _reading_by(self, items: Mapping[str, Items], *ways: Reads) -> dict[str, Items]:
        """Return the items whose heads read in one of some ways, in their order."""
        heads = self.model.heads.declared
        return {name: one for name, one in items.items() if heads[name].reads in ways}

    def _rows(
        self, texts: Features, images: Mapping[str, Features], items: Mapping[str, Items]
    ) -> dict[str, Rows]:
        """Return a vector of each text and each image, as heads make them, by name of the head."""
        vision = self._vision[0]
        vectors = self.model.vectors({self._text: texts, vision: images[vision]})
        found = {}
        for name, one in items.items():
            head: Any = self.model.heads[name]  # has the method `vectors`, as what compares does
            assert one.truth is not None  # items that are compared have one
            image = one.image if one.image.ndim == 1 else one.image[:, 0]  # [rows]
            found[name] = Rows(
                text=head.vectors(self._text, vectors[self._text].index_select(0, one.text)),
                image=head.vectors(vision, vectors[vision].index_select(0, image)),
                truth=one.truth,
            )
        return found

    def _drawn(
        self, items: Items, compared: Mapping[str, Items], rows: Mapping[str, Rows]
    ) -> Items:
        """Draw images by a comparison where items ask for it, in training."""
        if items.drawn is None or not rows or not self.training:
            return items
        name, own = next(iter(rows.items()))
        logits = self.model.heads[name](own.text.detach(), own.image.detach())
        return with_hard_negatives(items, compared[name], logits, own)

    def _joined(
        self, images: Mapping[str, Features], texts: Features, items: Mapping[str, Items]
    ) -> dict[str, Tensor]:
        """Read pairs behind the fusion, by name of the head."""
        text = torch.cat([one.text for one in items.values()])  # [pairs]
        image = torch.cat([one.image for one in items.values()])  # [pairs] or [pairs, streams]
        places = (image,) if image.ndim == 1 else image.unbind(1)
        tokens = sum(one.tokens for one in items.values())
        streams = {
            name: shown.select(place)
            for (name, shown), place in zip(images.items(), places, strict=True)
        }
        streams[self._text] = texts.select(text, tokens)
        readings = [self._reading(one, streams) for one in items.values()]
        return dict(zip(items, self.model.read(streams, readings), strict=True))

    def _encode_shown(self, batch: Batch, hidden: Sequence[HiddenImages]) -> dict[str, Features]:
        """Encode what each stream of images reads, by its name; behind it, what is hidden."""
        first, *_ = self._vision
        if not batch.hidden:
            shown = dict(zip(self._vision, (batch.images, *batch.more.values()), strict=True))
            return {name: self.encode_images(images, name) for name, images in shown.items()}
        covered = (
            self.encode_images(batch.hidden, first)
            if isinstance(batch.hidden, RegionRows)
            else stacked([self.model.encode_hidden(first, images) for images in hidden])
        )
        encoded = [covered.padded()]
        if any(_shows_whole(one) for one in batch.items.values()):
            encoded.insert(0, self.encode_images(batch.images, first).padded())
        return {first: below(encoded)}

    def _hidden(self, batch: Batch) -> tuple[HiddenImages, ...]:
        """Return images with hidden patches as a model reads them, those of each shape."""
        if not batch.hidden or isinstance(batch.hidden, RegionRows):
            return ()
        first, facts = self._vision[0], self._facts
        heads = self.model.heads.declared.items()
        name = next(name for name, head in heads if head.reads == "patches")
        token: Tensor = self.model.heads[name].mask_token  # type: ignore[assignment]
        assert facts.image_size and facts.grid  # as the head was built
        side = facts.image_size // facts.grid
        return tuple(
            HiddenImages(
                pixels=self.normalised[first](images.pixels),
                mask=images.mask,
                token=token,
                side=side,
                stream=first,
            )
            for images in batch.hidden
        )

    def _with_target(
        self,
        name: str,
        items: Items,
        vision: Mapping[str, Features],
        hidden: Sequence[HiddenImages],
    ) -> Items:
        """Return items; patches have what is to be predicted of them, `[items, n]`."""
        patches = items.patches
        if patches is None or items.target is not None:
            return items
        if self.model.heads.declared[name].predicts == "pixels":
            pixels = [images.patches() for images in hidden]
            shown = pixels[0] if len(pixels) == 1 else torch.cat(pixels)
            return replace(items, target=shown.index_select(0, patches.hidden))
        assert patches.whole is not None  # images as they are stand in the batch too
        tokens = vision[self._vision[0]].tokens.detach()  # [images, tokens, width]
        chosen = patches.whole * tokens.shape[1] + self._facts.prefix_tokens + patches.patch
        return replace(items, target=tokens.flatten(0, 1).index_select(0, chosen))

    @property
    def _facts(self) -> TowerFacts:
        """What is known of the first stream of images."""
        return self.model.towers[self._vision[0]].facts

    def encode_images(self, images: Shown, stream: str | None = None) -> Features:
        """Encode images as a batch holds them, with the first stream that reads some by default."""
        stream = stream or self._vision[0]
        if isinstance(images, RegionRows):
            return self.model.encode(stream, images.for_model())
        if isinstance(images, PartlyEncoded):
            normalised = self._normalised(images.pixels, stream)
            return self.cached[stream](replace(images, pixels=normalised))
        read = self._normalised(images, stream)
        given = ImageInput(groups=read.groups) if isinstance(read, ShapedImages) else read
        return self.model.encode(stream, given)

    def _normalised(self, images: Pixels, stream: str) -> Pixels:
        normalised = self.normalised[stream]
        if isinstance(images, Tensor):
            return normalised(images)
        return ShapedImages(groups=tuple(map(normalised, images.groups)))

    def encode_texts(self, texts: Texts) -> Features:
        """Encode texts in one pass, and those of which some features are kept behind them."""
        encoded: list[Features] = []
        if texts.encoded is not None:
            encoded.append(self.model.encode(self._text, texts.encoded.for_model()))
        if texts.cached is not None:
            encoded.append(self.cached[self._text](texts.cached))
        return reduce(Features.followed_by, encoded)

    def score_pairs(self, name: str, text: Features, vision: Features) -> Tensor:
        """Score encoded texts with as many encoded images, a pair each: `[pairs, outputs]`."""
        reading = Reading(rows=text.rows, tokens=text.packed().tokens.shape[0])
        [pooled] = self.model.read({self._text: text, self._vision[0]: vision}, [reading])
        scores: Tensor = self.model.heads[name](pooled)
        return scores

    def _reading(self, items: Items, streams: Mapping[str, Features]) -> Reading:
        if items.patches is not None:
            first, facts = self._vision[0], self._facts
            length = streams[first].tokens.shape[1]
            places = items.patches.pair * length + facts.prefix_tokens + items.patches.patch
            return Reading(rows=items.pairs, stream=first, positions=places, tokens=items.tokens)
        if items.positions is None:
            return Reading(rows=items.pairs, tokens=items.tokens)
        return Reading(
            rows=items.pairs,
            stream=self._text,
            positions=items.positions,
            tokens=items.tokens,
        )

    def _scored(self, name: str, read: Tensor, items: Items) -> Scored:
        """Score what is read: tokens `[items, width]`, or pooled pairs `[pairs, width]`."""
        kind, views = self.kinds[name], self.model.heads.declared[name].views
        if items.numbers is not None:
            read = torch.cat((read, items.numbers.to(read.dtype)), 1)  # [pairs, width + numbers]
        if views > 1:
            read = read.reshape(-1, views * read.shape[-1])  # [items, views * width]
        scores = self.model.heads[name](read)  # [items, classes]
        if items.group is not None:
            scores = items.group.table(scores)
        if items.target is None:
            return unmeasured(scores)
        loss = optional_facet(kind, "loss")
        if loss is None:
            return cross_entropy(scores, items.target)
        return _scored_by(kind, loss, loss.loss(kind, scores, items))


def _scored_by(kind: Any, loss: ModuleType, found: object) -> Scored:
    """Return what the loss of a kind gives; a KindError names its module if it is no `Scored`."""
    if isinstance(found, Scored):
        return found
    package = origin(kind)
    whose = "" if package is None else f" of `{package}`"
    raise KindError(
        f"`{loss.__name__}.loss`{whose} returns a {type(found).__name__}",
        "it has to return `Scored`, as `cross_entropy` of renaissance.compiler.losses does",
    )


def _shows_whole(items: Items) -> bool:
    """Tell whether images as they are have to be encoded for some items."""
    return items.patches is None or items.patches.whole is not None


def weights_of(job: Pretrain | Finetune) -> dict[str, float]:
    """Return the factor of each loss in the sum, by name of the head."""
    return {name: getattr(kind, "weight", 1.0) for name, kind in kinds_of(job).items()}
