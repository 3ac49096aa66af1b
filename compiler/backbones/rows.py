"""What the rows of an encoder's input stand for: tokens before the patches, positions of a text."""

import re

from torch import Tensor, nn

from renaissance.compiler.errors import BackboneError
from renaissance.compiler.model.packing import Packing

Rows = Tensor | Packing | None
"""What layers hand on as their mask: `[rows, n]` bool, True where a token is no padding; where
packed rows start; scores to add, `[rows or 1, heads or 1, n, n]`; None where all rows are full."""

_BEFORE = re.compile(
    r"((cls|class|dist|distillation|reg|register|storage)_(tokens?|embedding))\d*$"
)
"""Names of the parameters that libraries put before the patches of an image."""

_CLASS = re.compile(r"(cls|class)_(tokens?|embedding)\d*$")


def prefix_tokens(encoder: nn.Module) -> int:
    """Return how many class, distillation and register tokens an encoder puts before the patches.

    timm says so of most of its encoders; of others their parameters do, `[..., tokens, width]`.
    """
    said = getattr(encoder, "num_prefix_tokens", None)
    if said is not None:
        return int(said)
    found: dict[str, int] = {}
    for name, tensor in encoder.named_parameters():
        match = _BEFORE.search(name)
        if match and tensor.numel():
            # Stages may each have a token of the same name, the last one's is what comes out.
            found[match[1]] = tensor.numel() // tensor.shape[-1]
    return sum(found.values())


def has_class_token(encoder: nn.Module) -> bool:
    """Return whether the first token that an encoder gives is a class token."""
    names = (name for name, _ in encoder.named_parameters())
    return prefix_tokens(encoder) > 0 and any(_CLASS.search(name) for name in names)


def as_tokens(features: Tensor, width: int, channels_last: bool) -> Tensor:
    """Return features `[rows, n, c]`, `[rows, h, w, c]` or `[rows, c, h, w]` as `[rows, n, c]`.

    Args:
        features: as an encoder gives them.
        width: channels.
        channels_last: whether channels come last in four dimensions.

    Raises:
        BackboneError: if they are of another form.
    """
    if isinstance(features, Tensor) and features.ndim == 3:
        return features
    if isinstance(features, Tensor) and features.ndim == 4:
        if channels_last:
            return features.flatten(1, 2)
        if features.shape[1] == width:
            return features.flatten(2).transpose(1, 2)
    raise BackboneError("the encoder's features are neither a sequence nor a map of tokens")


def patch_grid(image_size: int | None, patch: int | None) -> int | None:
    """Return the patches along one side of an image; None where that is not known."""
    return image_size // patch if image_size and patch else None


def position_offset(encoder: nn.Module) -> int:
    """Return the row of the position embedding that the first token takes.

    Families after RoBERTa count positions from the number behind the padding token's.
    """
    for name, part in encoder.named_modules():
        if name.rpartition(".")[2] in ("position_embeddings", "position_embedding"):
            padding = getattr(part, "padding_idx", None)
            if padding is not None:
                return int(padding) + 1
    return 0
