"""Streams that are defined by their dimensions alone."""

from typing import Any

from torch import nn

from renaissance.compiler.backbones.embeddings import PatchEmbeddings, WordEmbeddings
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.initialisation import initialise
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.tower import AttentionFacts, Stacked, Tower, TowerFacts
from renaissance.compiler.model.transformer import PreNormStack
from renaissance.grammar.architectures import HALF
from renaissance.grammar.kinds.source import StackDimensions
from renaissance.grammar.schema.model import Attention


class PlainTextTower(Tower):
    """Word and position embeddings, then a pre-norm stack."""

    hands_on = True

    def __init__(
        self, embeddings: WordEmbeddings, spec: StackDimensions, address: str, attention: Attention
    ) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.stack = PreNormStack(spec, address)
        initialise(self.stack)
        self.facts = TowerFacts(
            modality="text",
            width=spec.width,
            layers=tuple((f"stack.layers.{index}",) for index in range(spec.layers)),
            vocabulary=embeddings.vocabulary,
            max_tokens=embeddings.max_tokens,
            attention=_attention(spec, attention, ragged=True),
        )

    def words(self) -> nn.Embedding:
        """Return the embeddings of its word pieces."""
        return self.embeddings.word

    def forward(self, inputs: Any) -> Features:
        """Encode texts as `[rows, n, width]`."""
        stream: Features = self.stack(self.embeddings(TextInput.of(inputs)))
        return stream


class PlainVisionTower(Tower):
    """Patch embeddings with a class token, then a pre-norm stack."""

    def __init__(
        self, embeddings: PatchEmbeddings, spec: StackDimensions, address: str, attention: Attention
    ) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.stack = PreNormStack(spec, address)
        initialise(self.stack)
        self.facts = TowerFacts(
            modality="vision",
            width=spec.width,
            layers=tuple((f"stack.layers.{index}",) for index in range(spec.layers)),
            image_size=embeddings.image_size,
            fit=embeddings.fit,
            statistics=HALF,
            prefix_tokens=1,
            class_token=True,
            grid=embeddings.grid,
            attention=_attention(spec, attention, ragged=False),
        )

    def patch_embedding(self) -> nn.Module:
        """Return what embeds the patches of an image."""
        return self.embeddings.stem

    def forward(self, inputs: Any) -> Features:
        """Encode images as `[rows, 1 + patches, width]`."""
        stream: Features = self.stack(self.embeddings(inputs))
        return stream


class WordpieceTower(Tower):
    """Word and position embeddings with a norm, for a one-tower model."""

    hands_on = True

    def __init__(self, embeddings: WordEmbeddings) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.facts = TowerFacts(
            modality="text",
            width=embeddings.width,
            vocabulary=embeddings.vocabulary,
            max_tokens=embeddings.max_tokens,
        )

    def words(self) -> nn.Embedding:
        """Return the embeddings of its word pieces."""
        return self.embeddings.word

    def forward(self, inputs: Any) -> Features:
        """Embed texts as `[rows, n, width]`."""
        embedded: Features = self.embeddings(TextInput.of(inputs))
        return embedded


class PatchesTower(Tower):
    """Patch embeddings with a class token, for a one-tower model."""

    def __init__(self, embeddings: PatchEmbeddings) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.facts = TowerFacts(
            modality="vision",
            width=embeddings.width,
            image_size=embeddings.image_size,
            fit=embeddings.fit,
            statistics=HALF,
            prefix_tokens=1,
            class_token=True,
            grid=embeddings.grid,
        )

    def patch_embedding(self) -> nn.Module:
        """Return what embeds the patches of an image."""
        return self.embeddings.stem

    def forward(self, inputs: Any) -> Features:
        """Embed images as `[rows, 1 + patches, width]`."""
        embedded: Features = self.embeddings(inputs)
        return embedded


class PlainEncoder(Stacked):
    """A pre-norm stack over tokens that come from elsewhere."""

    hands_on = True

    def __init__(self, spec: StackDimensions, address: str, attention: Attention) -> None:
        super().__init__()
        self.stack = PreNormStack(spec, address)
        self.dropout = spec.dropout
        initialise(self.stack)
        self.facts = TowerFacts(
            modality="text",
            width=spec.width,
            layers=tuple((f"stack.layers.{index}",) for index in range(spec.layers)),
            attention=_attention(spec, attention, ragged=True),
        )

    def forward(self, inputs: Features) -> Features:
        """Map tokens `[rows, n, width]` to the same shape."""
        stream: Features = self.stack(inputs)
        return stream


def _attention(spec: StackDimensions, asked: Attention, *, ragged: bool) -> AttentionFacts:
    return AttentionFacts(asked=asked, head_dims=(spec.width // spec.heads,), ragged=ragged)
