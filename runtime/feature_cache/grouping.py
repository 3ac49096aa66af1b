"""Encoding in groups of one fixed size, so that features do not depend on what else is missing.

The last bits of a product depend on how many rows it has. In groups of one size the features of an
input are the same whatever is encoded beside it: it does not matter when they were computed, by
which process, or after how many restarts.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import accumulate

import torch
from torch import Tensor

from renaissance.compiler.model.inputs import TextInput

GROUPS = {"cpu": 4, "cuda": 256}
"""Inputs that are encoded together, by device."""
LENGTH_STEP = 8
"""Texts are padded to a multiple of this many tokens."""


def grouped_images(encode: Callable[[Tensor], Tensor], pixels: Tensor) -> Tensor:
    """Encode images in groups, the last one filled up.

    Args:
        encode: maps `[group, 3, height, width]` to `[group, tokens, width]`.
        pixels: `[n, 3, height, width]`, one image at least.

    Returns:
        `[n, tokens, width]`. Under autocast in its type, to which the projection behind the tower
        would round them in any case.
    """
    group = _group(pixels.device)
    lacking = -len(pixels) % group
    filled = torch.cat([pixels, pixels[:1].expand(lacking, -1, -1, -1)]) if lacking else pixels
    with torch.no_grad():
        tokens = torch.cat([encode(part) for part in torch.split(filled, group)])[: len(pixels)]
    return _in_type_of_pass(tokens)


def grouped_texts(
    encode: Callable[[TextInput], Tensor], ids: Tensor, lengths: Sequence[int], longest: int
) -> Tensor:
    """Encode texts in groups of one padded length, the last group of each filled up.

    Args:
        encode: maps `[group, length]` padded texts to `[group, length, width]`.
        ids: `[tokens]` int64, one text after the other, one at least.
        lengths: tokens of each text.
        longest: most tokens of a text that `encode` takes.

    Returns:
        `[tokens, width]`, in the type that `grouped_images` gives.
    """
    alike: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for place, tokens in enumerate(lengths):
        length = min(-(-tokens // LENGTH_STEP) * LENGTH_STEP, longest)
        # Libraries drop a mask that lets everything through, so it must not be up to the other
        # texts of a group whether there is one.
        alike[length, tokens == length].append(place)
    starts = torch.tensor([0, *accumulate(lengths)])
    sizes = torch.tensor(lengths)
    group, result = _group(ids.device), None
    with torch.no_grad():
        for (length, full), places in alike.items():
            for start in range(0, len(places), group):
                chosen = places[start : start + group]
                rows = torch.tensor(chosen + chosen[:1] * (group - len(chosen)))
                # Laid out on the host: a copy to the device for all rows, and not for each.
                column = torch.arange(length)
                present = column < sizes[rows][:, None]
                index = (starts[rows][:, None] + column).where(present, -1)
                encoded = encode(_padded(ids, index.to(ids.device), full)).flatten(0, 1)
                if result is None:
                    result = encoded.new_empty(len(ids), encoded.shape[-1])
                kept = present[: len(chosen)].flatten().nonzero().flatten()
                target = index[: len(chosen)].flatten()[kept]
                result.index_copy_(
                    0, target.to(ids.device), encoded.index_select(0, kept.to(ids.device))
                )
    assert result is not None  # there is a text
    return _in_type_of_pass(result)


def _padded(ids: Tensor, index: Tensor, full: bool) -> TextInput:
    """Return texts whose tokens stand at places `[group, length]` int64; padding is at -1."""
    if full:
        return TextInput(input_ids=ids[index])
    mask = index >= 0
    return TextInput(input_ids=ids[index.clamp(min=0)].where(mask, 0), mask=mask)


def _group(device: torch.device) -> int:
    return GROUPS.get(device.type, GROUPS["cuda"])


def _in_type_of_pass(tokens: Tensor) -> Tensor:
    device = tokens.device.type
    return (
        tokens.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else tokens
    )
