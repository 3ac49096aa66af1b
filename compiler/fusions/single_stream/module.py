"""One tower: one stack over the joint sequence of all embedded inputs.

Source: Kim et al. 2021, ViLT, section 3.1.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from renaissance.compiler.errors import CompileError
from renaissance.compiler.fusions.single_stream.schema import SingleStream
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.initialisation import initialise
from renaissance.compiler.model.joint import apart, joined
from renaissance.compiler.model.tower import BackboneReference, Stacked, TowerFacts
from renaissance.compiler.model.type_embedding import TypeEmbedding


def build(
    fusion: SingleStream,
    streams: Mapping[str, TowerFacts],
    *,
    address: str,
    stack: Stacked | None,
) -> "JointStack":
    """Return the fusion of streams of which so much is known, over a stack."""
    if stack is None:
        raise CompileError(f"`{address}` has no stack")
    return JointStack(fusion, streams, stack)


class JointStack(nn.Module):
    """Projections where widths differ, perhaps type embeddings, and a stack over all tokens.

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
        self.type_embedding = TypeEmbedding(spec.inputs if spec.type_embedding else (), width)
        self.encoder = encoder

    @property
    def reference(self) -> BackboneReference | None:
        """Where the weights of the stack came from; None if they are random."""
        return self.encoder.reference

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Run streams whose rows correspond through the stack as one sequence.

        Args:
            features: each stream as its embeddings give it, tokens `[rows, n, width of these]`.

        Returns:
            Each stream, tokens `[rows, n, width]`.
        """
        streams = self.embedded(features)
        return apart(self.encoder(joined(streams)), streams)

    def embedded(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Bring streams to the width of the stack, and tell their tokens from each other."""
        return {
            name: features[name].with_tokens(
                self.type_embedding(name, self._project(name, features[name].tokens))
            )
            for name in self.inputs
        }

    def _project(self, name: str, tokens: Tensor) -> Tensor:
        return self.projection[name](tokens) if name in self.projection else tokens
