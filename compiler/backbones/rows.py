"""What the rows of an encoder's input stand for: tokens before the patches, positions of a text."""

import re

from torch import nn

_BEFORE = re.compile(r"(cls|class|dist|distillation|reg|register|storage)_(tokens?|embedding)$")
"""Names of the parameters that libraries put before the patches of an image."""


def prefix_tokens(encoder: nn.Module) -> int:
    """Return how many class, distillation and register tokens an encoder puts before the patches.

    timm says so of most of its encoders; of others their parameters do, `[..., tokens, width]`.
    """
    said = getattr(encoder, "num_prefix_tokens", None)
    if said is not None:
        return int(said)
    found = 0
    for name, tensor in encoder.named_parameters():
        if _BEFORE.search(name) and tensor.numel():
            found += tensor.numel() // tensor.shape[-1]
    return found


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
