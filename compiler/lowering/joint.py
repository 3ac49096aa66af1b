"""Streams behind each other in one sequence, packed where one is, and what is read of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from renaissance.compiler.model.features import Features
from renaissance.compiler.model.joint import joined
from renaissance.compiler.model.packing import join
from renaissance.compiler.model.readings import RowGroup, consecutive


@dataclass(frozen=True, slots=True, kw_only=True)
class JointRows:
    """Rows of streams behind each other.

    Attributes:
        rows: the joint rows, packed if a stream is.
        places: each stream with the places of its tokens among all of theirs, int64, in place of
            the tokens.
    """

    rows: Features
    places: Mapping[str, Features]

    @classmethod
    def of(cls, streams: Mapping[str, Features]) -> "JointRows":
        """Put the rows of streams behind each other in their order."""
        if all(stream.packing is None for stream in streams.values()):
            rows = joined(streams)
            # A product, which programs that are exported keep as one of their sizes.
            count, length = rows.tokens.shape[:2]
            places = torch.arange(count * length, device=rows.tokens.device).view(count, length)
            in_form = torch.split(
                places, [stream.tokens.shape[1] for stream in streams.values()], 1
            )
        else:
            rows, ragged = _joined(list(streams.values()))
            in_form = tuple(
                stream.from_packed(place)
                for stream, place in zip(streams.values(), ragged, strict=True)
            )
        return cls(
            rows=rows,
            places={
                name: stream.with_tokens(place)
                for (name, stream), place in zip(streams.items(), in_form, strict=True)
            },
        )

    def apart(self, fused: Features) -> dict[str, Features]:
        """Return each stream, in its form, of joint rows that were mapped since."""
        flat = fused.tokens.flatten(0, -2)
        return {
            name: _at(place, flat.index_select(0, place.tokens.flatten()))
            for name, place in self.places.items()
        }

    def read(
        self, parts: Sequence[RowGroup], fuse: Callable[[Tensor], Features]
    ) -> list[dict[str, Features]]:
        """Return what is read of each part.

        Args:
            parts: consecutive rows with what is read of them; together they cover all rows.
            fuse: maps the joint rows and returns the tokens at places `[k]` int64 of them.

        Returns:
            For each part, the streams that it names, as `Features.read` gives them.
        """
        # Places are read as the tokens at them would be.
        read = [
            {name: of_part[name].read(wanted) for name, wanted in queries.items()}
            for of_part, queries in consecutive(self.places, parts)
        ]
        wanted = [place.tokens.flatten() for of_part in read for place in of_part.values()]
        fused = fuse(torch.cat(wanted)).tokens
        pieces = iter(torch.split(fused, [len(place) for place in wanted]))
        return [
            {name: _at(place, next(pieces)) for name, place in of_part.items()} for of_part in read
        ]


def _joined(streams: Sequence[Features]) -> tuple[Features, list[Tensor]]:
    """Return packed rows behind each other, and where the tokens of each stream are in them."""
    first, *others = (stream.packed() for stream in streams)
    packing, tokens = first.packing, first.tokens
    places: list[Tensor] = []
    for other in others:
        assert packing is not None and other.packing is not None  # as packed
        packing, front, back = join(packing, other.packing, (len(tokens), len(other.tokens)))
        both = torch.cat((tokens, other.tokens))
        tokens = torch.empty_like(both).index_copy(0, torch.cat((front, back)), both)
        places = [front.index_select(0, place) for place in places] or [front]
        places.append(back)
    return Features(tokens=tokens, packing=packing), places


def _at(place: Features, tokens: Tensor) -> Features:
    """Return the tokens `[k, width]` at `k` places, in their form."""
    return place.with_tokens(tokens.view(*place.tokens.shape, tokens.shape[-1]))
