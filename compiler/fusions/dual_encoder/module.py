"""Two towers that never meet, each projected to one space.

Source: Radford et al. 2021, CLIP, section 2.3; Zhai et al. 2023, SigLIP.
"""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

from renaissance.compiler.errors import CompileError
from renaissance.compiler.fusions.dual_encoder.schema import DualEncoder
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.tower import Stacked, TowerFacts


def build(
    fusion: DualEncoder,
    streams: Mapping[str, TowerFacts],
    *,
    address: str,
    stack: Stacked | None,
) -> "SideBySide":
    """Return the fusion of streams of which so much is known."""
    for name, facts in streams.items():
        if not fusion.projects(facts.modality) and facts.width != fusion.width:
            raise CompileError(
                f"`{address}` does not project `{name}`, which has {facts.width} channels and not "
                f"{fusion.width}"
            )
    return SideBySide(fusion, streams)


class SideBySide(nn.Module):
    """A linear map for each stream, or for that of texts alone.

    Args:
        spec: its declaration.
        towers: what is known of each stream.
    """

    def __init__(self, spec: DualEncoder, towers: Mapping[str, TowerFacts]) -> None:
        super().__init__()
        self.inputs = spec.inputs
        self.widths = dict.fromkeys(spec.inputs, spec.width)
        self.projection = nn.ModuleDict(
            {
                name: _projection(towers[name].width, spec.width, spec.bias)
                for name in spec.inputs
                if spec.projects(towers[name].modality)
            }
        )

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Project the tokens of each stream, whatever stands beside it.

        Args:
            features: each stream as its tower gives it, tokens `[rows, n, width of its tower]`.

        Returns:
            Each stream, tokens `[rows, n, width]`. A linear map of a mean, or of a first token, is
            the mean or the first of what it makes of the tokens.
        """
        return {
            name: features[name].with_tokens(self.mapped(name, features[name].tokens))
            for name in self.inputs
        }

    def vectors(self, pooled: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return `[rows, width]` of length 1 for what is pooled of streams, `[rows, its width]`."""
        return {
            name: F.normalize(self.mapped(name, vector), dim=-1) for name, vector in pooled.items()
        }

    def serving(self, stream: str) -> dict[str, nn.Module]:
        """Return the parts, by address, without which the other stream comes out the same."""
        if stream not in self.projection:
            return {}
        return {f"projection.{stream}": self.projection[stream]}

    def mapped(self, stream: str, vectors: Tensor) -> Tensor:
        """Bring vectors `[..., its width]` of a stream to the space, `[..., width]`."""
        if stream not in self.projection:
            return vectors
        return self.projection[stream](vectors)  # type: ignore[no-any-return]

    def reached(self, stream: str) -> frozenset[str]:
        """Return the streams that a stream depends on behind the fusion: itself."""
        return frozenset({stream})


def _projection(own: int, width: int, bias: bool) -> nn.Linear:
    """Return a linear map drawn as CLIP's are, so that unit variance stays."""
    projection = nn.Linear(own, width, bias=bias)
    nn.init.normal_(projection.weight, std=float(own) ** -0.5)
    if bias:
        nn.init.zeros_(projection.bias)
    return projection
