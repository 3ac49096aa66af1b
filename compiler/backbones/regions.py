"""From features of detected regions to tokens, alone or behind a stack."""

from typing import Any

from torch import Tensor, nn

from renaissance.compiler.model.dropout import Dropout
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.initialisation import initialise
from renaissance.compiler.model.inputs import RegionInput
from renaissance.compiler.model.post_norm import NORM_EPS, PostNormLayer
from renaissance.compiler.model.tower import AttentionFacts, Tower, TowerFacts
from renaissance.compiler.model.transformer import PreNormStack, check_heads
from renaissance.grammar.kinds.source import Detected, StackDimensions
from renaissance.grammar.schema.model import Attention


class RegionEmbeddings(nn.Module):
    """What a region shows and where it lies, each mapped and normalised, and their mean.

    Source: Tan & Bansal 2019, LXMERT, section 2.1.

    Args:
        spec: which features are read.
        width: channels.
        dropout: probability of dropping a channel of a token in training.
    """

    def __init__(self, spec: Detected, width: int, dropout: float) -> None:
        super().__init__()
        self.channels, self.most, self.width = spec.channels, spec.regions, width
        self.feature = nn.Linear(spec.channels, width)
        self.feature_norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.box = nn.Linear(4, width) if spec.boxes else None
        self.box_norm = nn.LayerNorm(width, eps=NORM_EPS) if spec.boxes else None
        self.dropout = Dropout(dropout)
        initialise(self)

    def forward(self, inputs: Any) -> Features:
        """Embed regions as `[rows, regions, width]`.

        Raises:
            InputError: if they have other channels, or boxes are missing.
        """
        regions = RegionInput.of(inputs, self.channels, boxes=self.box is not None)
        dtype = self.feature.weight.dtype
        tokens: Tensor = self.feature_norm(self.feature(regions.features.to(dtype)))
        if self.box is not None and self.box_norm is not None and regions.boxes is not None:
            tokens = (tokens + self.box_norm(self.box(regions.boxes.to(dtype)))) / 2
        return Features(tokens=self.dropout(tokens), mask=regions.mask)


class RegionsTower(Tower):
    """Embeddings of regions, for a one-tower model."""

    def __init__(self, embeddings: RegionEmbeddings) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.facts = TowerFacts(
            modality="vision",
            width=embeddings.width,
            regions=embeddings.most,
            channels=embeddings.channels,
        )

    def forward(self, inputs: Any) -> Features:
        """Embed regions as `[rows, regions, width]`."""
        embedded: Features = self.embeddings(inputs)
        return embedded


class PlainRegionsTower(Tower):
    """Embeddings of regions, then pre-norm or post-norm layers."""

    def __init__(
        self,
        embeddings: RegionEmbeddings,
        spec: StackDimensions,
        address: str,
        attention: Attention,
        *,
        post_norm: bool,
    ) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.stack = PostNormStack(spec, address) if post_norm else PreNormStack(spec, address)
        initialise(self.stack)
        for part in self.modules():
            if isinstance(part, nn.LayerNorm):
                part.eps = spec.eps
        self.facts = TowerFacts(
            modality="vision",
            width=spec.width,
            layers=tuple((f"stack.layers.{index}",) for index in range(spec.layers)),
            regions=embeddings.most,
            channels=embeddings.channels,
            attention=AttentionFacts(
                asked=attention, head_dims=(spec.width // spec.heads,), ragged=False
            ),
        )

    def forward(self, inputs: Any) -> Features:
        """Encode regions as `[rows, regions, width]`."""
        stream: Features = self.stack(self.embeddings(inputs))
        return stream


class PostNormStack(nn.Module):
    """Post-norm layers one behind the other."""

    def __init__(self, spec: StackDimensions, address: str) -> None:
        super().__init__()
        check_heads(spec.width, spec.heads, address)
        self.layers = nn.ModuleList(PostNormLayer(spec) for _ in range(spec.layers))

    def forward(self, stream: Features) -> Features:
        """Map tokens `[rows, n, width]` to the same shape."""
        for layer in self.layers:
            stream = layer(stream)
        return stream
