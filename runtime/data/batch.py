"""What one forward and backward pass reads: the contract between data and training.

Images are encoded once each; rows of text point at them. All tensors of a batch live on the CPU
until `to` moves them.
"""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from renaissance.compiler.features import TextInput
from renaissance.compiler.packing import Packing


@dataclass(frozen=True, slots=True, kw_only=True)
class Movable:
    """A record of tensors, or of records of tensors."""

    def to(self, device: torch.device) -> Self:
        """Return the same record with every tensor on `device`."""
        moved = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                value = value.to(device, non_blocking=True)
            elif isinstance(value, Movable):
                value = value.to(device)
            moved[field.name] = value
        return type(self)(**moved)

    def pin_memory(self) -> Self:
        """Return the same record in memory that a GPU copies from while it computes."""
        pinned = {}
        for field in fields(self):
            value = getattr(self, field.name)
            pinned[field.name] = (
                value.pin_memory() if isinstance(value, Tensor | Movable) else value
            )
        return type(self)(**pinned)

    def record_stream(self, stream: torch.cuda.Stream) -> None:
        """Keep the memory of every tensor until `stream` has used it."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor | Movable):
                value.record_stream(stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlyEncoded(Movable):
    """Images of which some need not be encoded any more.

    Attributes:
        pixels: `[missing, 3, height, width]` uint8: those that are to be encoded.
        contents: digest of the file of each of them; None for one that could not be read again.
        features: `[known, tokens, width]` of the others.
        order: `[images]` int64, the place of each image among the missing and, behind them, the
            known ones.
    """

    pixels: Tensor
    contents: tuple[bytes | None, ...]
    features: Tensor
    order: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlyEncodedTexts(Movable):
    """Texts of which some need not be encoded any more; each distinct text once.

    Attributes:
        input_ids: `[tokens]` int64, the texts that are to be encoded, one after the other.
        lengths: tokens of each of them.
        contents: digest of each of them.
        features: `[tokens, width]` of the other texts, one after the other.
        cumulative: `[texts + 1]` int32, tokens before each text and, last, of all: first those
            that are to be encoded, then the others.
        longest: tokens of the longest text.
        order: `[rows]` int64, the place of the text of each row among these.
        tokens: tokens of all rows together.
    """

    input_ids: Tensor
    lengths: tuple[int, ...]
    contents: tuple[bytes, ...]
    features: Tensor
    cumulative: Tensor
    longest: int
    order: Tensor
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRows(Movable):
    """Texts one after the other, without padding.

    Attributes:
        input_ids: `[tokens]` int64, the tokens of all texts.
        cumulative: `[rows + 1]` int32, tokens before each text and, last, of all.
        longest: tokens of the longest text.
    """

    input_ids: Tensor
    cumulative: Tensor
    longest: int

    @property
    def tokens(self) -> int:
        """Tokens of all texts together."""
        return len(self.input_ids)

    def followed_by(self, other: "TextRows") -> "TextRows":
        """Return these texts and then the others."""
        joined = self._packing.followed_by(other._packing, self.tokens)
        return TextRows(
            input_ids=torch.cat((self.input_ids, other.input_ids)),
            cumulative=joined.cumulative,
            longest=joined.longest,
        )

    def for_model(self) -> TextInput:
        """Return the texts as a model reads them."""
        return TextInput(input_ids=self.input_ids, packing=self._packing)

    @property
    def _packing(self) -> Packing:
        return Packing(cumulative=self.cumulative, longest=self.longest)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedText(Movable):
    """Texts with masked words, for `mlm`.

    Attributes:
        text: the masked texts, one for each row of the batch.
        positions: `[masked]` int64, places of masked tokens among those of all texts.
        labels: `[masked]` int64, the tokens that stood there.
    """

    text: TextRows
    positions: Tensor
    labels: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching(Movable):
    """Texts paired with their own or another image, for `itm`.

    Attributes:
        image_index: `[pairs]` int64, the image that is shown; `pairs` is a multiple of `rows`
            only by chance: `row_index` says whose text it is shown to.
        row_index: `[pairs]` int64, rows of the plain text.
        labels: `[pairs]` int64, 1 where the image is the text's own.
        tokens: tokens of the texts of all pairs together.
    """

    image_index: Tensor
    row_index: Tensor
    labels: Tensor
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainBatch(Movable):
    """Image-text pairs with what the objectives of the job need.

    Attributes:
        images: `[images, 3, height, width]` uint8, or what is known of them; each distinct image
            once.
        image_index: `[rows]` int64, the image of each text.
        text: the texts as they are.
        masked: None without an `mlm` objective.
        matching: None without an `itm` objective.
        known: what is known of the features of `text`; None where none are kept.
    """

    images: Tensor | PartlyEncoded
    image_index: Tensor
    text: TextRows
    masked: MaskedText | None
    matching: Matching | None
    known: PartlyEncodedTexts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskBatch(Movable):
    """Labelled questions about images.

    Attributes:
        images: `[images, 3, height, width]` uint8, or what is known of them; each distinct image
            once.
        image_index: `[rows]` int64, the image of each text.
        text: the questions or sentences.
        labels: `[rows]` int64, index into the task's answers.
        samples: `[rows]` int64, index into the split's table.
        known: what is known of the features of `text`; None where none are kept.
    """

    images: Tensor | PartlyEncoded
    image_index: Tensor
    text: TextRows
    labels: Tensor
    samples: Tensor
    known: PartlyEncodedTexts | None = None
