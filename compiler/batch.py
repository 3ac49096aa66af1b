"""One batch: distinct texts, distinct images, pairs of them, and what is read of the pairs.

Every text and every image of a batch is encoded once. Pairs point at them; the pairs of all items,
one behind the other, are the rows of the fusion. What an objective or a task reads of its pairs,
and what it wants there, are its `Items`. All tensors live on the CPU until `to` moves them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self, TypeAlias

import torch
from torch import Tensor

from renaissance.compiler.model.inputs import RegionInput, TextInput
from renaissance.compiler.model.packing import Packing


@dataclass(frozen=True, slots=True, kw_only=True)
class Movable:
    """A record of tensors, or of records of tensors."""

    def to(self, device: torch.device) -> Self:
        """Return the same record with every tensor on `device`."""
        return self._changed(lambda part: _moved(part, device))

    def pin_memory(self) -> Self:
        """Return the same record in memory that a GPU copies from while it computes."""
        return self._changed(lambda part: part.pin_memory())

    def record_stream(self, stream: torch.cuda.Stream) -> None:
        """Keep the memory of every tensor until `stream` has used it."""
        self._changed(lambda part: part.record_stream(stream))

    def _changed(self, change: Callable[[Any], Any]) -> Self:
        return type(self)(
            **{part.name: _applied(getattr(self, part.name), change) for part in fields(self)}
        )


def _applied(value: Any, change: Callable[[Any], Any]) -> Any:
    """Change tensors and records; everything else stays."""
    if isinstance(value, Tensor | Movable):
        return change(value)
    if isinstance(value, dict):
        return {name: _applied(part, change) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(_applied(part, change) for part in value)
    return value


def _moved(part: "Tensor | Movable", device: torch.device) -> "Tensor | Movable":
    return part.to(device, non_blocking=True) if isinstance(part, Tensor) else part.to(device)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapedImages(Movable):
    """Images of several shapes, those of one shape together, so that none is padded.

    Attributes:
        groups: `[images, 3, height, width]` uint8 of each shape.
    """

    groups: tuple[Tensor, ...]

    def __len__(self) -> int:
        """Return how many images there are."""
        return sum(map(len, self.groups))


Pixels: TypeAlias = Tensor | ShapedImages
"""`[images, 3, height, width]` uint8, or groups of such where images keep their shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlyEncoded(Movable):
    """Images of which some need not be encoded any more: first those that do, then the others.

    Attributes:
        pixels: those that are to be encoded.
        contents: digest of the file of each of them; None for one that could not be read again.
        features: `[kept, tokens, width]` of the others, or `[tokens, width]`, one after the other.
        lengths: tokens of each of the others where these are one after the other.
    """

    pixels: Pixels
    contents: tuple[bytes | None, ...]
    features: Tensor
    lengths: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRows(Movable):
    """Regions of images, with what a detector made of them.

    Attributes:
        features: `[images, regions, channels]` float32, zeros where an image has fewer regions.
        boxes: `[images, regions, 4]` float32: left, top, right and bottom, as shares of the image.
        mask: `[images, regions]` bool, True where there is a region; None where there always is.
    """

    features: Tensor
    boxes: Tensor
    mask: Tensor | None

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.features)

    def part(self, images: slice) -> "RegionRows":
        """Return some of the images."""
        mask = None if self.mask is None else self.mask[images]
        return RegionRows(features=self.features[images], boxes=self.boxes[images], mask=mask)

    def for_model(self) -> RegionInput:
        """Return the regions as a model reads them."""
        return RegionInput(features=self.features, boxes=self.boxes, mask=self.mask)


Shown: TypeAlias = Pixels | PartlyEncoded | RegionRows
"""What a stream reads of distinct images: their pixels, what is kept of them, or their regions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenPixels(Movable):
    """Images of which patches are hidden.

    Attributes:
        pixels: `[images, 3, height, width]` uint8, all of one shape.
        mask: `[images, patches]` bool, True where a patch is hidden.
    """

    pixels: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchPlaces(Movable):
    """Where patches, or regions, that are read are, all `[items]` int64.

    Attributes:
        pair: which of the pairs.
        patch: which patch of its image.
        hidden: which of the patches of all images of which some are hidden, one image behind the
            other.
        whole: which of the images as they are; None where nobody asks.
    """

    pair: Tensor
    patch: Tensor
    hidden: Tensor
    whole: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlyEncodedTexts(Movable):
    """Texts of which some need not be encoded any more: first those that do, then the others.

    Attributes:
        input_ids: `[tokens]` int64, the texts that are to be encoded, one after the other.
        lengths: tokens of each of them.
        contents: digest of each of them.
        features: `[tokens, width]` of the other texts, one after the other.
        cumulative: `[texts + 1]` int32, tokens before each text and, last, of all.
        longest: tokens of the longest text.
    """

    input_ids: Tensor
    lengths: tuple[int, ...]
    contents: tuple[bytes, ...]
    features: Tensor
    cumulative: Tensor
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRows(Movable):
    """Texts one after the other, without padding.

    Attributes:
        input_ids: `[tokens]` int64, the tokens of all texts.
        cumulative: `[rows + 1]` int32, tokens before each text and, last, of all; None where all
            are known to be of one length.
        longest: tokens of the longest text.
    """

    input_ids: Tensor
    cumulative: Tensor | None
    longest: int

    @property
    def tokens(self) -> int:
        """Tokens of all texts together."""
        return len(self.input_ids)

    def for_model(self) -> TextInput:
        """Return the texts as a model reads them."""
        if self.cumulative is None:
            return TextInput(input_ids=self.input_ids.view(-1, self.longest))
        packing = Packing(cumulative=self.cumulative, longest=self.longest)
        return TextInput(input_ids=self.input_ids, packing=packing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts(Movable):
    """The texts of a batch: first those that are encoded in any case, then those of `cached`.

    Attributes:
        encoded: changed ones, such as those with masked words, and plain ones; None for none.
        cached: plain ones of which features are kept; None where none are kept.
    """

    encoded: TextRows | None
    cached: PartlyEncodedTexts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates(Movable):
    """Which pairs are candidates of one item, of which one is the right one.

    Attributes:
        item: `[pairs]` int64, the item of each pair.
        place: `[pairs]` int64, its place among the candidates of that item.
        items: how many items there are.
        most: candidates of the item that has most of them.
    """

    item: Tensor
    place: Tensor
    items: int
    most: int

    def table(self, scores: Tensor) -> Tensor:
        """Return scores `[pairs, 1]` by item, `[items, most]`; -inf where there is no pair."""
        table = scores.new_full((self.items, self.most), -torch.inf)
        return table.index_put((self.item, self.place), scores[:, 0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth(Movable):
    """Which texts are known to be true of which images, for rows of a text and its image each.

    A row's text is true of all images that show what any row of the same text shows. Numbers are
    those of the whole data, so that the rows of several batches can be put together.

    Attributes:
        text: `[rows]` int64; equal texts have the same number.
        image: `[rows]` int64; images that show the same have the same number.
        pairs: `[k]` int64, what is known beside the rows: `text * contents + image` each.
        contents: how many numbers of images there are.
    """

    text: Tensor
    image: Tensor
    pairs: Tensor
    contents: int

    def of_images(self, others: "Truth") -> Tensor:
        """Return `[rows, k]` bool: which texts of these are true of which images of others."""
        return _known(self.text[:, None] * self.contents + others.image, others.all_pairs(self))

    def of_texts(self, others: "Truth") -> Tensor:
        """Return `[rows, k]` bool: of which images of these which texts of others are true."""
        return _known(others.text * self.contents + self.image[:, None], others.all_pairs(self))

    def all_pairs(self, others: "Truth") -> Tensor:
        """Return what is known by these and others, as `pairs` has it, ascending."""
        known = [part for truth in (self, others) for part in (truth.own_pairs, truth.pairs)]
        return torch.cat(known).sort().values

    @property
    def own_pairs(self) -> Tensor:
        """`[rows]` int64: what each row says, as `pairs` has it."""
        return self.text * self.contents + self.image

    def part(self, first: int, rows: int) -> "Truth":
        """Return what is known of consecutive rows; pairs are those of all."""
        return Truth(
            text=self.text.narrow(0, first, rows),
            image=self.image.narrow(0, first, rows),
            pairs=self.pairs,
            contents=self.contents,
        )

    @staticmethod
    def joined(parts: Sequence["Truth"]) -> "Truth":
        """Return what is known of all rows, one part behind the other."""
        return Truth(
            text=torch.cat([part.text for part in parts]),
            image=torch.cat([part.image for part in parts]),
            pairs=torch.cat([part.pairs for part in parts]),
            contents=parts[0].contents,
        )


def _known(pairs: Tensor, known: Tensor) -> Tensor:
    """Tell which pairs are among those that are known, ascending and at least one."""
    place = torch.searchsorted(known, pairs).clamp_(max=len(known) - 1)
    return known[place] == pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn(Movable):
    """Which pairs may be given another image, by how well it seems to match the text.

    Attributes:
        row: `[pairs]` int64, the row of the batch that has the text of each pair.
        turn: `[pairs]` int64, which draw for that text it is, from 0; -1 where the image stays.
    """

    row: Tensor
    turn: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Items(Movable):
    """What an objective or a task reads of which pairs, and what it wants there.

    An item is a token at a read position, a hidden patch, a pair, several pairs one behind the
    other (`Head.views`) or the candidates of a group.

    Attributes:
        text: `[pairs]` int64, which text.
        image: `[pairs]` int64, which image, those with hidden patches behind the others; -1 where
            texts are read without one. `[pairs, streams]` where several streams read images, the
            place of each pair's image in what each reads.
        tokens: tokens of the texts of all pairs together.
        positions: `[items]` int64, places of tokens among those of the texts of all pairs; None
            where the pooled vector of each pair is read.
        patches: which patches are read; None where none are.
        target: `[items]` int64 classes (`UNKNOWN` for none of them), `[items, classes]` float32
            shares of credit, or `[items]` float32 numbers (NaN where nobody knows); None where
            nobody knows any of them, and of patches, whose target is made of their images.
            Of regions `[items, numbers]` float32.
        known: how many items have a target: what a mean loss is over.
        group: the candidates of each item; None where pairs are none.
        row: `[items]` int64, index into the split's table; None where that is asked by nobody.
        numbers: `[pairs, numbers]` float32 that the head reads beside the pooled vector of each
            pair (`Head.numbers`); None where it reads none.
        truth: of the pairs, where they are compared with each other; None elsewhere.
        drawn: in training, pairs whose image is to be drawn by a comparison; None where none is.
    """

    text: Tensor
    image: Tensor
    tokens: int
    positions: Tensor | None = None
    patches: PatchPlaces | None = None
    target: Tensor | None
    known: int
    group: Candidates | None = None
    row: Tensor | None = None
    numbers: Tensor | None = None
    truth: Truth | None = None
    drawn: Drawn | None = None

    @property
    def pairs(self) -> int:
        """How many pairs are read."""
        return len(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Movable):
    """What one forward and backward pass reads.

    Attributes:
        images: what the first stream of images reads; each distinct one once.
        texts: of which those without changes are distinct where their features are kept.
        items: by name of the head, in the order in which the fusion gets their pairs.
        rows: how many rows of the data it is about.
        hidden: images of the first stream of which patches are hidden, those of each shape, or
            images of which regions are.
        more: what other streams of images read, by their names.
        last: no other pass follows whose rows are compared with those of this one, outside of
            training.
    """

    images: Shown
    texts: Texts
    items: Mapping[str, Items]
    rows: int
    hidden: tuple[HiddenPixels, ...] | RegionRows = ()
    more: Mapping[str, Shown] = field(default_factory=dict)
    last: bool = True
