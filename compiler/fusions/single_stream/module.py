"""One tower: one stack over the joint sequence of all embedded inputs.

Source: Kim et al. 2021, ViLT, section 3.1.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from renaissance.compiler.backbones.tower import BackboneReference, Stacked, TowerFacts
from renaissance.compiler.errors import CompileError
from renaissance.compiler.features import Features, Part, consecutive
from renaissance.compiler.fusions.single_stream.schema import SingleStream
from renaissance.compiler.model.initialisation import initialise
from renaissance.compiler.model.type_embedding import TypeEmbedding
from renaissance.compiler.packing import join
from renaissance.grammar.schema.model import Attention


def build(
    fusion: SingleStream,
    streams: Mapping[str, TowerFacts],
    *,
    address: str,
    attention: Attention,
    stack: Stacked | None,
) -> "JointStack":
    """Return the fusion of streams of which so much is known, over a stack."""
    if stack is None:
        raise CompileError(f"`{address}` has no stack")
    return JointStack(fusion, streams, stack)


class JointStack(nn.Module):
    """Projections where widths differ, type embeddings, and a stack over all tokens.

    Args:
        spec: its declaration.
        embeddings: what is known of each stream.
        encoder: the stack.
    """

    def __init__(
        self,
        spec: SingleStream,
        embeddings: Mapping[str, TowerFacts],
        encoder: Stacked,
    ) -> None:
        super().__init__()
        width = encoder.facts.width
        self.inputs = spec.inputs
        self.widths = dict.fromkeys(spec.inputs, width)
        self.projection = nn.ModuleDict(
            {
                name: nn.Linear(embeddings[name].width, width)
                for name in spec.inputs
                if embeddings[name].width != width
            }
        )
        initialise(self)
        self.type_embedding = TypeEmbedding(spec.inputs, width)
        self.encoder = encoder

    @property
    def reference(self) -> BackboneReference | None:
        """Where the weights of the stack came from; None if they are random."""
        return self.encoder.reference

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Run streams whose rows correspond through the stack as one sequence.

        Args:
            features: each stream as its embeddings give it, tokens of the embedding's width.

        Returns:
            Each stream in the form that it has, tokens of `width`.
        """
        joint, places = _joined(self._embedded(features))
        fused = self._stack(joint).tokens.flatten(0, -2)
        return {
            name: _at(place, fused.index_select(0, place.tokens.flatten()))
            for name, place in places.items()
        }

    def read(
        self, features: Mapping[str, Features], parts: Sequence[Part]
    ) -> list[dict[str, Features]]:
        """Fuse, and return what is read; a stack that can computes no more in its last layer.

        Args:
            features: as `forward` takes them.
            parts: consecutive rows with what is read of them; together they cover all rows.

        Returns:
            For each part, the streams that it names, as `Features.read` gives them.
        """
        joint, places = _joined(self._embedded(features))
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

    def _embedded(self, features: Mapping[str, Features]) -> dict[str, Features]:
        return {
            name: features[name].with_tokens(
                self.type_embedding(name, self._project(name, features[name].tokens))
            )
            for name in self.inputs
        }

    def _stack(self, joint: Features, read: Tensor | None = None) -> Features:
        if joint.packing is None or self.encoder.facts.packs:
            return self.encoder(joint, read)  # type: ignore[no-any-return]
        fused = joint.with_tokens(joint.from_padded(self.encoder(joint.padded()).tokens))
        return fused if read is None else fused.read(read)

    def _project(self, name: str, tokens: Tensor) -> Tensor:
        return self.projection[name](tokens) if name in self.projection else tokens


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
        joint = Features(tokens=tokens, mask=_joint_mask(list(streams.values())))
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


def _joint_mask(streams: list[Features]) -> Tensor | None:
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
