"""Rows as they come: texts stay packed, and only what is read is computed.

Plain modules work on padded rows. Each of the modules here takes the place of one of them, with the
same parameters: it takes rows in any form, and computes no more than is read of it. What a fusion
offers stands beside its module, in `lowered.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from renaissance.compiler.backbones.embeddings import WordEmbeddings
from renaissance.compiler.backbones.encoder_stack import EncoderStack
from renaissance.compiler.backbones.plain import PlainEncoder
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.libraries.stacks import LoweredEncoderStack
from renaissance.compiler.lowering.multi_head import LoweredMultiHead
from renaissance.compiler.lowering.post_norm import (
    LoweredPostNormAttention,
    LoweredPostNormCrossLayer,
    LoweredPostNormLayer,
)
from renaissance.compiler.model.attention import MultiHeadAttention
from renaissance.compiler.model.constancy import learns
from renaissance.compiler.model.features import Features, Queries
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.post_norm import (
    PostNormAttention,
    PostNormCrossLayer,
    PostNormLayer,
)
from renaissance.compiler.model.readings import Reading
from renaissance.compiler.model.tower import Stacked, Tower
from renaissance.compiler.model.transformer import PreNormLayer, PreNormStack
from renaissance.compiler.model.vision_language import VisionLanguageModel


class PackedWordEmbeddings(WordEmbeddings):
    """Embeddings of texts that may be packed."""

    def positions(self, text: TextInput) -> Tensor:
        """Return the embeddings of positions, `[n, width]`, or `[tokens, width]` of packed rows."""
        if text.packing is None:
            return super().positions(text)
        return self.position[text.packing.place_in_row(len(text.input_ids))]


class ReadLayer(PreNormLayer):
    """A layer that maps no more tokens than are read, once they have attended to all."""

    def forward(self, stream: Features, read: Tensor | None = None) -> Features:
        """Map tokens of any form to the same form, or only those at places `[k]` int64."""
        attended = self.attended(stream)
        return self.fed(attended if read is None else attended.read(read))


class ReadStack(PreNormStack):
    """Layers, the last of which maps no more tokens than are read."""

    def forward(self, stream: Features, read: Tensor | None = None) -> Features:
        """Map tokens of any form to the same form, or only those at places `[k]` int64."""
        *before, last = self.layers
        for layer in before:
            stream = layer(stream)
        stream = last(stream, read)
        return stream.with_tokens(self.norm(stream.tokens))


class ReadEncoder(PlainEncoder):
    """A stack over tokens that come from elsewhere, where it is read."""

    def forward(self, inputs: Features, read: Tensor | None = None) -> Features:
        """Map tokens of any form to the same form, or to those that are read."""
        stream: Features = self.stack(inputs, read)
        return stream


class ReadModel(VisionLanguageModel):
    """A model that takes rows in the form that they have, and computes what is read of them."""

    def encoded(self, tower: Tower, inputs: Any, *, before: bool = False) -> Features:
        """Run a tower; packed texts stay packed where it takes them so.

        Nothing is recorded for autograd if none of it learns, and the inputs ask for no gradient.
        """
        wanted = learns(tower) or before or (isinstance(inputs, Tensor) and inputs.requires_grad)
        with torch.set_grad_enabled(torch.is_grad_enabled() and wanted):
            if isinstance(inputs, TextInput) and not tower.facts.packs:
                return super().encoded(tower, inputs)
            features: Features = tower(inputs)
            return features

    def fused(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Join streams of as many rows each; every one comes back padded."""
        if not reads(self.fusion):
            return super().fused(features)
        return {name: stream.padded() for name, stream in self._joined(features).items()}

    def alone_in_fusion(self, name: str, features: Features, queries: Queries) -> Features:
        """Run the layers of the fusion on one stream by itself, in the form that it has."""
        if not reads(self.fusion):
            return super().alone_in_fusion(name, features, queries)
        return self.fusion.alone(name, features, queries)  # type: ignore[no-any-return, operator]

    def read(
        self, features: Mapping[str, Features], readings: Sequence[Reading]
    ) -> tuple[Tensor, ...]:
        """Join streams whose rows correspond, and compute only what is read of them."""
        if not reads(self.fusion):
            return super().read(features, readings)
        fused = self.fusion.read(features, self.parts(readings))  # type: ignore[operator]
        return tuple(
            self.pool({name: stream.padded() for name, stream in streams.items()})
            if reading.stream is None
            else streams[reading.stream].tokens
            for reading, streams in zip(readings, fused, strict=True)
        )


TWINS: dict[type[nn.Module], type[nn.Module]] = {
    MultiHeadAttention: LoweredMultiHead,
    WordEmbeddings: PackedWordEmbeddings,
    PreNormLayer: ReadLayer,
    PreNormStack: ReadStack,
    PlainEncoder: ReadEncoder,
    EncoderStack: LoweredEncoderStack,
    PostNormAttention: LoweredPostNormAttention,
    PostNormCrossLayer: LoweredPostNormCrossLayer,
    PostNormLayer: LoweredPostNormLayer,
    VisionLanguageModel: ReadModel,
}
"""What takes the place of which plain module; parameters, their names and hooks stay."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts stay packed, and the last layers compute only what is read."""

    name: str = "rows"

    def applies(self, model: VisionLanguageModel, context: Context) -> bool:
        """Every model may be given packed texts."""
        return True

    def apply(self, model: VisionLanguageModel, context: Context) -> None:
        """Put what takes rows in any form in the place of plain modules."""
        # What stands inside of a fusion that knows padded rows alone is called as it calls it.
        take_rows(model, leaving=() if _can_read(model.fusion) else model.fusion.modules())
        for stream in (*model.towers.values(), getattr(model.fusion, "encoder", None)):
            if isinstance(stream, (Tower, Stacked)) and stream.hands_on:
                stream.facts = replace(stream.facts, packs=True)

    def explain(self, model: VisionLanguageModel, context: Context) -> str:
        """Say what is computed of the fusion."""
        if reads(model.fusion):
            return "texts stay packed, and the last fusion layer computes only what is read"
        return f"`{model.fusion_name}`: padded, all computed"


def take_rows(part: nn.Module, leaving: Iterable[nn.Module] = ()) -> None:
    """Let plain modules take rows in any form, in place.

    Args:
        part: holds them, or is one.
        leaving: modules that stay as they are.
    """
    left = {id(module) for module in leaving}
    for module in part.modules():
        twin = (TWINS | _beside(module)).get(type(module))
        if twin is not None and id(module) not in left:
            module.__class__ = twin


def reads(fusion: nn.Module) -> bool:
    """Whether a fusion, as it is now, takes rows in any form and computes what is read of them."""
    return hasattr(fusion, "read")


def _can_read(fusion: nn.Module) -> bool:
    return reads(fusion) or hasattr(_beside(fusion).get(type(fusion)), "read")


def _beside(module: nn.Module) -> dict[type[nn.Module], type[nn.Module]]:
    """Return what stands in `lowered.py` beside a fusion's `module.py`; nothing without one."""
    package, _, file = type(module).__module__.rpartition(".")
    if file != "module" or find_spec(f"{package}.lowered") is None:
        return {}
    found: dict[type[nn.Module], type[nn.Module]] = import_module(f"{package}.lowered").TWINS
    return found
