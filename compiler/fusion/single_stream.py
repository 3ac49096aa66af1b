"""One tower: one stack over the joint sequence of all embedded inputs.

Source: Kim et al. 2021, ViLT, section 3.1.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from renaissance.compiler.backbones.tower import BackboneReference, Stacked, TowerFacts
from renaissance.compiler.features import Features, Queries, consecutive
from renaissance.compiler.fusion.type_embedding import TypeEmbedding
from renaissance.compiler.initialisation import initialise
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
    def attention(self) -> str:
        """Which implementation of attention the stack runs."""
        return self.encoder.facts.attention

    @property
    def reference(self) -> BackboneReference | None:
        """Where the weights of the stack came from; None if they are random."""
        return self.encoder.reference

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Run streams whose rows correspond through the stack as one sequence.

        Args:
            features: each stream as its embeddings give it, `[rows, n, embedding width]`.

        Returns:
            Each stream as `[rows, n, width]`.
        """
        tokens = [
            self.type_embedding(name, self._project(name, features[name].tokens))
            for name in self.inputs
        ]
        joined = Features(
            tokens=torch.cat(tokens, 1), mask=_joint_mask([features[name] for name in self.inputs])
        )
        lengths = [part.shape[1] for part in tokens]
        parts = self.encoder(joined).tokens.split(lengths, 1)
        return {
            name: Features(tokens=part, mask=features[name].mask)
            for name, part in zip(self.inputs, parts, strict=True)
        }

    def read(
        self,
        features: Mapping[str, Features],
        readings: Sequence[tuple[int, Mapping[str, Queries]]],
    ) -> list[dict[str, Features]]:
        """Fuse, and return what is read; a stack computes all of its tokens.

        Args:
            features: as `forward` takes them.
            readings: how many consecutive rows, and what is read of which streams; together they
                cover all rows.

        Returns:
            For each reading, the streams that it names, as `Features.read` gives them.
        """
        return [
            {name: part[name].read(wanted) for name, wanted in queries.items()}
            for part, queries in consecutive(self(features), readings)
        ]

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
