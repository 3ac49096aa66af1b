"""A stack over the tokens of all streams, packed where one is, and only what is read of it."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from renaissance.compiler.fusions.single_stream.module import JointStack, joint_mask
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.packing import join
from renaissance.compiler.model.readings import RowGroup, consecutive


class LoweredJointStack(JointStack):
    """A stack over rows in any form."""

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Run streams whose rows correspond through the stack; each comes back in its form."""
        joint, places = _joined(self.embedded(features))
        fused = self._stack(joint).tokens.flatten(0, -2)
        return {
            name: _at(place, fused.index_select(0, place.tokens.flatten()))
            for name, place in places.items()
        }

    def read(
        self, features: Mapping[str, Features], parts: Sequence[RowGroup]
    ) -> list[dict[str, Features]]:
        """Fuse, and return what is read; a stack that can computes no more in its last layer.

        Args:
            features: as `forward` takes them.
            parts: consecutive rows with what is read of them; together they cover all rows.

        Returns:
            For each part, the streams that it names, as `Features.read` gives them.
        """
        joint, places = _joined(self.embedded(features))
        # Places are read as the tokens at them would be.
        read = [
            {name: of_part[name].read(wanted) for name, wanted in queries.items()}
            for of_part, queries in consecutive(places, parts)
        ]
        wanted = [place.tokens.flatten() for of_part in read for place in of_part.values()]
        fused = self._stack(joint, torch.cat(wanted)).tokens
        pieces = iter(torch.split(fused, [len(place) for place in wanted]))
        return [
            {name: _at(place, next(pieces)) for name, place in of_part.items()} for of_part in read
        ]

    def _stack(self, joint: Features, read: Tensor | None = None) -> Features:
        if joint.packing is None or self.encoder.facts.packs:
            return self.encoder(joint, read)  # type: ignore[no-any-return]
        fused = joint.with_tokens(joint.from_padded(self.encoder(joint.padded()).tokens))
        return fused if read is None else fused.read(read)


def _joined(streams: Mapping[str, Features]) -> tuple[Features, dict[str, Features]]:
    """Put each row of one stream in front of the same row of the other.

    Returns:
        The joint rows, packed if a stream is; and each stream with the places of its tokens among
        all of theirs, int64, in place of the tokens.
    """
    if all(stream.packing is None for stream in streams.values()):
        tokens = torch.cat([stream.tokens for stream in streams.values()], 1)
        rows, length = tokens.shape[:2]
        places = torch.arange(rows * length, device=tokens.device).view(rows, length)
        in_form = torch.split(places, [stream.tokens.shape[1] for stream in streams.values()], 1)
        joint = Features(tokens=tokens, mask=joint_mask(list(streams.values())))
    else:
        front, back = (stream.packed() for stream in streams.values())
        assert front.packing is not None and back.packing is not None  # as packed
        packing, *ragged = join(front.packing, back.packing, (len(front.tokens), len(back.tokens)))
        both = torch.cat((front.tokens, back.tokens))
        joined = torch.empty_like(both).index_copy(0, torch.cat(ragged), both)
        joint = Features(tokens=joined, packing=packing)
        in_form = tuple(
            stream.from_packed(place)
            for stream, place in zip(streams.values(), ragged, strict=True)
        )
    return joint, {
        name: stream.with_tokens(place)
        for (name, stream), place in zip(streams.items(), in_form, strict=True)
    }


def _at(place: Features, tokens: Tensor) -> Features:
    """Return the tokens `[k, width]` at `k` places, in their form."""
    return place.with_tokens(tokens.view(*place.tokens.shape, tokens.shape[-1]))


TWINS: dict[type[nn.Module], type[nn.Module]] = {JointStack: LoweredJointStack}
"""What takes the place of which plain module; parameters stay."""
