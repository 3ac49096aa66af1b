"""What a library's tower shows when it is run: that it can, and gives the same tokens each time.

Some encoders leave out patches at random in evaluation too, some mix what stands in different rows,
some take images of certain sizes only; few of them say so.
"""

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from renaissance.compiler.backbones.samples import TOLERANCE, ragged_texts, telling, undisturbed
from renaissance.compiler.errors import BackboneError, CompileError
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.tower import Tower

LENGTHS = (12, 7, 3)
"""Tokens of the texts that show whether rows depend on each other."""

_STUMBLES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a library's code raises over inputs that it did not expect."""

_constant: dict[str, bool] = {}
_mixing: dict[str, bool] = {}


def tokens_of_image(tower: Tower, shape: tuple[int, int], *, key: str, address: str) -> int | None:
    """Encode an image; return its number of tokens, None where only real weights would tell.

    Args:
        tower: of images.
        shape: height and width, pixels.
        key: names the configuration, which is tried with weights once in a process.
        address: of the tower, for messages.

    Raises:
        BackboneError: if it cannot encode it, or gives other tokens each time.
    """
    meta = any(parameter.is_meta for parameter in tower.parameters())
    # Two of them, since some put the patches of all images into one row.
    image = torch.zeros(2, 3, *shape, device="meta" if meta else None)
    if not meta:
        image.normal_(generator=torch.Generator().manual_seed(0))
    height, width = shape
    sides = f"{height}" if height == width else f"{height} × {width}"
    tokens = _tried(tower, image, f"images of {sides} pixels", address)
    if not meta and tokens is not None:
        _check_constant(tower, image, key, f"`{address}` gives other tokens each time that it ")
    return None if tokens is None else tokens.shape[-2]


def check_text(
    tower: Tower, vocabulary: int, longest: int, padding: int, *, key: str, address: str
) -> None:
    """Encode texts, short ones too; of meta tensors what shapes tell.

    Args:
        tower: of texts.
        vocabulary: rows of its word embedding.
        longest: most tokens that it takes.
        padding: number of the padding token.
        key: names the configuration, which is tried with weights once in a process.
        address: of the tower, for messages.

    Raises:
        BackboneError: if it cannot encode them, or gives other tokens each time.
    """
    meta = any(parameter.is_meta for parameter in tower.parameters())
    for length in sorted({min(LENGTHS[-1], longest), min(LENGTHS[0], longest)}):
        ids = torch.full((1, length), (padding + 1) % vocabulary, device="meta" if meta else None)
        text = TextInput(input_ids=ids, mask=torch.ones_like(ids, dtype=torch.bool))
        tokens = _tried(tower, text, f"a text of {length} tokens", address)
    if not meta and tokens is not None:
        padded, _ = ragged_texts(vocabulary, longest, padding)
        _check_constant(tower, padded, key, f"`{address}` gives other tokens each time that it ")


def rows_mix(tower: Tower, vocabulary: int, longest: int, padding: int, *, key: str) -> bool:
    """Whether the tokens of a padded text depend on the texts beside it.

    Args:
        tower: of texts, its parameters no meta tensors.
        vocabulary: rows of its word embedding.
        longest: most tokens that it takes.
        padding: number of the padding token.
        key: names the configuration, which is tried once in a process.
    """
    if key not in _mixing:
        lengths = [min(length, longest) for length in LENGTHS]
        ids = torch.randint(
            vocabulary,
            (len(lengths), max(lengths)),
            generator=torch.Generator().manual_seed(0),
        )
        ids = ids.where(ids != padding, (padding + 1) % vocabulary)
        mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
        weights = telling(tower)
        with undisturbed(tower):
            together = _tokens(
                tower, weights, TextInput(input_ids=ids.where(mask, padding), mask=mask)
            )
            alone = [
                _tokens(tower, weights, TextInput(input_ids=row[None, :length]))[0]
                for row, length in zip(ids, lengths, strict=True)
            ]
        _mixing[key] = any(
            not (row[:length] - single).norm() <= TOLERANCE * single.norm()
            for row, single, length in zip(together, alone, lengths, strict=True)
        )
    return _mixing[key]


def first_line(error: Exception) -> str:
    """Return the first line of what an exception says, or its name if it says nothing."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _tried(tower: Tower, case: Any, what: str, address: str) -> Tensor | None:
    """Return the tokens of one pass; None where meta tensors do not get through."""
    try:
        with undisturbed(tower):
            tokens = _tokens(tower, {}, case)
    except CompileError:
        raise
    except NotImplementedError:
        return None
    except _STUMBLES as error:
        if "meta" in str(error).lower():
            return None
        raise BackboneError(f"`{address}` cannot encode {what}: {first_line(error)}") from None
    rows = len(case if isinstance(case, Tensor) else case.input_ids)
    if tokens.ndim != 3 or tokens.shape[-1] != tower.facts.width or len(tokens) != rows:
        raise BackboneError(
            f"`{address}` gives features of shape {list(tokens.shape)} for {what}, where "
            f"{rows} sequences of tokens of width {tower.facts.width} are wanted"
        )
    return tokens


def _check_constant(tower: Tower, case: Any, key: str, blame: str) -> None:
    if key not in _constant:
        with undisturbed(tower):
            states = _states()
            before = _tokens(tower, {}, case)
            drawn = _states() != states
            # What draws no random numbers has none to depend on.
            after = _tokens(tower, {}, case) if drawn else before
        if not before.isfinite().all():
            raise BackboneError(
                f"{blame.partition(' gives ')[0]} gives numbers that are not finite: weights that "
                "are no numbers, or too large ones, make them"
            )
        _constant[key] = before.shape == after.shape and bool(
            (before - after).norm() <= TOLERANCE * before.norm()
        )
    if not _constant[key]:
        raise BackboneError(
            f"{blame}encodes the same input, in evaluation too; a tower has to be constant, so "
            "take another encoder"
        )


def _states() -> tuple[Any, ...]:
    """Return the states of all generators that an encoder may draw from."""
    numpy: Any = np.random.get_state()
    return torch.get_rng_state().tolist(), random.getstate(), str(numpy[1:])


def _tokens(tower: Tower, weights: dict[str, Tensor], case: Any) -> Tensor:
    features: Features = functional_call(tower, weights, (case,))
    return features.tokens
