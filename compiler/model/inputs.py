"""What a model is given: texts and images, as a tokenizer and an image processor return them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from renaissance.compiler.errors import InputError
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.packing import Packing
from renaissance.compiler.standing import traced, transformed
from renaissance.grammar.names import listing


@dataclass(frozen=True, slots=True, kw_only=True)
class TextInput:
    """Texts as a tower reads them: padded rows, or packed.

    Attributes:
        input_ids: `[rows, n]` int64; packed `[tokens]`, text after text.
        mask: `[rows, n]` bool, True where a token is no padding; None where nothing is padded.
        packing: where texts start; None where they are not packed.
    """

    input_ids: Tensor
    mask: Tensor | None = None
    packing: Packing | None = None

    @classmethod
    def of(cls, inputs: Any) -> "TextInput":
        """Read texts: a `TextInput`, or `input_ids` with `attention_mask` (absent: no padding).

        Padding stands behind the text, and a text is one segment. A mapping on a CPU is looked at
        for both; on a GPU that would wait for the device.

        Args:
            inputs: texts, or a mapping such as a tokenizer returns.

        Raises:
            InputError: if they are something else, padded in front, or of two segments.
        """
        if isinstance(inputs, TextInput):
            return inputs
        if not isinstance(inputs, Mapping) or "input_ids" not in inputs:
            raise InputError(
                f"texts as {_named(inputs)} where the model takes what a tokenizer returns: a "
                "mapping of `input_ids` [rows, n] and `attention_mask` [rows, n]"
            )
        ids, mask = inputs["input_ids"], inputs.get("attention_mask")
        if not isinstance(ids, Tensor) or ids.ndim != 2 or ids.is_floating_point():
            raise InputError(
                f"`input_ids` as {_named(ids)} where the model takes a tensor of integers, "
                '[rows, n]; a tokenizer gives it with `return_tensors = "pt"`'
            )
        if mask is not None and (not isinstance(mask, Tensor) or mask.shape != ids.shape):
            raise InputError(
                f"`attention_mask` as {_named(mask)} beside `input_ids` as {_named(ids)}; "
                "both have the same shape"
            )
        _check_segments(inputs.get("token_type_ids"))
        _check_side(mask)
        return cls(input_ids=ids, mask=None if mask is None else mask.bool())

    @property
    def longest(self) -> int:
        """Tokens of the longest text, or more."""
        return self.input_ids.shape[1] if self.packing is None else self.packing.longest

    def padded(self) -> "TextInput":
        """Return the same texts in padded rows; padding is token 0."""
        if self.packing is None:
            return self
        return TextInput(input_ids=self.packing.pad(self.input_ids), mask=self.packing.mask())

    def in_form(self, padded: Features) -> Features:
        """Bring what was made of `padded()` into the form of these."""
        if self.packing is None:
            return padded
        tokens = self.packing.unpad(padded.tokens, len(self.input_ids))
        return Features(tokens=tokens, packing=self.packing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionInput:
    """Regions of images, with what a detector made of them.

    Attributes:
        features: `[rows, regions, channels]`.
        boxes: `[rows, regions, 4]`: left, top, right and bottom, as shares of the image's width and
            height; None where nobody asks.
        mask: `[rows, regions]` bool, True where there is a region; None where there always is.
    """

    features: Tensor
    boxes: Tensor | None = None
    mask: Tensor | None = None

    @classmethod
    def of(cls, inputs: Any, channels: int, *, boxes: bool) -> "RegionInput":
        """Read regions: a `RegionInput`, or a mapping of its attributes.

        Args:
            inputs: what is read.
            channels: that stand for a region.
            boxes: whether boxes are needed.

        Raises:
            InputError: if they are something else.
        """
        if isinstance(inputs, Mapping) and "features" in inputs:
            mask = inputs.get("mask")
            inputs = cls(
                features=inputs["features"],
                boxes=inputs.get("boxes"),
                mask=None if mask is None else mask.bool(),
            )
        if not isinstance(inputs, RegionInput):
            raise InputError(
                f"regions as {_named(inputs)} where the model takes a mapping of `features` "
                f"[rows, regions, {channels}], `boxes` [rows, regions, 4] and `mask` "
                "[rows, regions]"
            )
        found = inputs.features
        if not isinstance(found, Tensor) or found.ndim != 3 or found.shape[2] != channels:
            raise InputError(
                f"features of regions as {_named(found)} where the model takes "
                f"[rows, regions, {channels}]"
            )
        wanted = (*found.shape[:2], 4)
        if boxes and (not isinstance(inputs.boxes, Tensor) or inputs.boxes.shape != wanted):
            raise InputError(
                f"boxes of regions as {_named(inputs.boxes)} where the model takes {list(wanted)}"
            )
        if inputs.mask is not None and inputs.mask.shape != found.shape[:2]:
            raise InputError(
                f"a mask of regions as {_named(inputs.mask)} where the model takes "
                f"{list(found.shape[:2])}"
            )
        return inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInput:
    """Images of several shapes, those of one shape together, so that none is padded.

    Attributes:
        groups: `[images, 3, height, width]` of each shape, one at least.
        order: `[rows]` int64, which of all images each row is; None where rows are in their order.
    """

    groups: tuple[Tensor, ...]
    order: Tensor | None = None


def images_of(inputs: Any) -> Tensor | ImageInput:
    """Read images: a tensor, or a mapping of `pixel_values`, as an image processor returns it.

    A `pixel_mask` `[rows, height, width]` beside them says what is no padding: it stands to the
    right and at the bottom. The mask is read back from the device.

    Raises:
        InputError: if they are something else.
    """
    mask = None
    if isinstance(inputs, ImageInput):
        return inputs
    if isinstance(inputs, Mapping) and "pixel_values" in inputs:
        inputs, mask = inputs["pixel_values"], inputs.get("pixel_mask")
    if not isinstance(inputs, Tensor):
        raise InputError(
            f"images as {_named(inputs)} where the model takes a tensor [rows, 3, height, width], "
            "or a mapping of `pixel_values` with one"
        )
    return inputs if mask is None else _without_padding(inputs, mask)


def _without_padding(pixels: Tensor, mask: Any) -> Tensor | ImageInput:
    """Cut the padding off images, and put those of one shape together."""
    if not isinstance(mask, Tensor) or mask.shape != (len(pixels), *pixels.shape[2:]):
        raise InputError(
            f"`pixel_mask` as {_named(mask)} beside `pixel_values` as {_named(pixels)}; it has "
            "their rows, height and width"
        )
    seen = mask.bool()
    shapes = torch.stack((seen[:, :, 0].sum(1), seen[:, 0].sum(1)), 1).tolist()  # [rows][2]
    for row, (height, width) in zip(seen, shapes, strict=True):
        if row.sum() != height * width or not row[:height, :width].all() or not height * width:
            raise InputError(
                "`pixel_mask` hides more than padding to the right of an image and at its bottom"
            )
    alike: dict[tuple[int, int], list[int]] = {}
    for number, (height, width) in enumerate(shapes):
        alike.setdefault((height, width), []).append(number)
    order = torch.tensor([row for rows in alike.values() for row in rows]).argsort()
    return ImageInput(
        groups=tuple(pixels[rows, :, :high, :wide] for (high, wide), rows in alike.items()),
        order=order.to(pixels.device),
    )


def _check_segments(types: Any) -> None:
    if isinstance(types, Tensor) and _can_look_at(types) and types.any():
        raise InputError(
            "`token_type_ids` tell two segments apart, and the model knows one: give each text "
            "alone, not as a pair"
        )


def _check_side(mask: Tensor | None) -> None:
    if mask is None or not mask.shape[1] or not _can_look_at(mask):
        return
    seen = mask.bool()
    if (~seen[:, 0] & seen.any(1)).any():
        raise InputError(
            "texts are padded in front, where the model reads their first token; pad them behind: "
            '`tokenizer.padding_side = "right"`'
        )


def check_numbers_of_tokens(texts: TextInput, vocabulary: int | None) -> None:
    """Refuse tokens that the word embedding has no row for, where looking them up has failed.

    Args:
        texts: that were looked up.
        vocabulary: rows of the word embedding; None where nobody knows.

    Raises:
        InputError: naming such a token.
    """
    ids = texts.input_ids
    if vocabulary is None or not _can_look_at(ids):
        return
    wrong = ids[(ids < 0) | (ids >= vocabulary)]
    if len(wrong):
        raise InputError(
            f"`input_ids` hold token {int(wrong[0])} where the word embedding has {vocabulary} "
            f"rows, 0 to {vocabulary - 1}; take the tokenizer of the model"
        ) from None


def _can_look_at(tensor: Tensor) -> bool:
    """Return whether the numbers are here and may decide something."""
    return (
        tensor.device.type == "cpu"
        and not torch.compiler.is_compiling()
        and not traced()
        and not transformed()
    )


def _named(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {list(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, Mapping):
        keys = listing(value, "nothing")
        return f"a mapping of {keys}"
    return f"a `{type(value).__name__}`"
