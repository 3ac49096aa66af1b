"""One tower: one stack over the joint sequence of all embedded inputs.

Source: Kim et al. 2021, ViLT, section 3.1.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from renaissance.compiler.backbones.tower import BackboneReference, Stacked, TowerFacts
from renaissance.compiler.features import Features, Part, consecutive
from renaissance.compiler.fusion.type_embedding import TypeEmbedding
from renaissance.compiler.initialisation import initialise
from renaissance.compiler.packing import join
from renaissance.grammar.schema.model import SingleStream


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
        streams = {
            name: features[name].with_tokens(
                self.type_embedding(name, self._project(name, features[name].tokens))
            )
            for name in self.inputs
        }
        if any(stream.packing is not None for stream in streams.values()):
            return self._packed(streams)
        return self._padded(streams)

    def read(
        self, features: Mapping[str, Features], parts: Sequence[Part]
    ) -> list[dict[str, Features]]:
        """Fuse, and return what is read; a stack computes all of its tokens.

        Args:
            features: as `forward` takes them.
            parts: consecutive rows with what is read of them; together they cover all rows.

        Returns:
            For each part, the streams that it names, as `Features.read` gives them.
        """
        return [
            {name: streams[name].read(wanted) for name, wanted in queries.items()}
            for streams, queries in consecutive(self(features), parts)
        ]

    def _padded(self, streams: Mapping[str, Features]) -> dict[str, Features]:
        tokens = [stream.tokens for stream in streams.values()]
        joined = Features(tokens=torch.cat(tokens, 1), mask=_joint_mask(list(streams.values())))
        parts = self.encoder(joined).tokens.split([part.shape[1] for part in tokens], 1)
        return {
            name: stream.with_tokens(part)
            for (name, stream), part in zip(streams.items(), parts, strict=True)
        }

    def _packed(self, streams: Mapping[str, Features]) -> dict[str, Features]:
        front, back = (stream.packed() for stream in streams.values())
        assert front.packing is not None and back.packing is not None  # as packed
        packing, *places = join(front.packing, back.packing, (len(front.tokens), len(back.tokens)))
        both = torch.cat((front.tokens, back.tokens))
        joint = torch.empty_like(both).index_copy(0, torch.cat(places), both)
        fused = self._stack(Features(tokens=joint, packing=packing)).tokens
        return {
            name: stream.with_tokens(stream.from_packed(fused.index_select(0, place)))
            for (name, stream), place in zip(streams.items(), places, strict=True)
        }

    def _stack(self, joint: Features) -> Features:
        if self.encoder.facts.packs:
            return self.encoder(joint)  # type: ignore[no-any-return]
        return joint.with_tokens(joint.from_padded(self.encoder(joint.padded()).tokens))

    def _project(self, name: str, tokens: Tensor) -> Tensor:
        return self.projection[name](tokens) if name in self.projection else tokens


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
