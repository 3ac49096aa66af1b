"""Streams behind each other in one sequence, in padded rows."""

from collections.abc import Mapping

import torch
from torch import Tensor

from renaissance.compiler.model.features import Features


def joined(streams: Mapping[str, Features]) -> Features:
    """Put the rows of streams, tokens `[rows, n, width]`, behind each other in their order."""
    tokens = torch.cat([stream.tokens for stream in streams.values()], 1)  # [rows, n, width]
    return Features(tokens=tokens, mask=_joint_mask(list(streams.values())))


def apart(joint: Features, streams: Mapping[str, Features]) -> dict[str, Features]:
    """Return the tokens of each stream, of which `joined` made rows that were mapped since."""
    lengths = [stream.tokens.shape[1] for stream in streams.values()]
    parts = torch.split(joint.tokens, lengths, 1)
    return {
        name: stream.with_tokens(part)
        for (name, stream), part in zip(streams.items(), parts, strict=True)
    }


def _joint_mask(streams: list[Features]) -> Tensor | None:
    """Return masks one beside the other; None where nothing is padded."""
    if all(stream.mask is None for stream in streams):
        return None
    return torch.cat(
        [
            stream.tokens.new_ones(stream.tokens.shape[:2], dtype=torch.bool)
            if stream.mask is None
            else stream.mask
            for stream in streams
        ],
        1,
    )
