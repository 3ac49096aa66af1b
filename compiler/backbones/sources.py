"""Streams and stacks by their source in the spec.

Libraries are imported where a spec asks for them, so that plain models start quickly.
"""

from renaissance.compiler.backbones.facts import is_timm
from renaissance.compiler.backbones.plain import (
    PatchesTower,
    PlainEncoder,
    PlainTextTower,
    PlainVisionTower,
    WordpieceTower,
)
from renaissance.compiler.backbones.tower import Stacked, Tower
from renaissance.compiler.errors import CompileError
from renaissance.compiler.sources.patches.schema import Patches
from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.sources.timm.schema import Timm
from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.grammar.catalogue import find
from renaissance.grammar.encoder_folder import read_folder
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.schema.model import Attention


def build_tower(stream: SourceBlock, address: str, *, attention: Attention, weights: bool) -> Tower:
    """Return the encoder of a two-tower model's stream.

    Args:
        stream: its declaration.
        address: its name, for messages.
        attention: implementation that the model asks for.
        weights: load the published ones where the source has them; without, only the shape counts.

    Raises:
        CompileError: if it cannot be built as declared.
    """
    if isinstance(stream, PlainText):
        return PlainTextTower(stream, address, attention)
    if isinstance(stream, PlainVision):
        return PlainVisionTower(stream, address, attention)
    if isinstance(stream, Timm) or (isinstance(stream, RandomArchitecture) and is_timm(stream.id)):
        from renaissance.compiler.backbones.timm import timm_tower

        return timm_tower(stream, address, attention=attention, weights=weights)
    from renaissance.compiler.backbones.huggingface import huggingface_tower

    return huggingface_tower(stream, address, attention=attention, weights=weights)


def build_stack(spec: SourceBlock, address: str, *, attention: Attention, weights: bool) -> Stacked:
    """Return the stack of a one-tower model.

    Args:
        spec: its declaration.
        address: root address of the fusion.
        attention: implementation that the model asks for.
        weights: load the published ones where the source has them; without, only the shape counts.

    Raises:
        CompileError: if the encoder's layers are no plain stack over a sequence of tokens.
    """
    if isinstance(spec, PlainStack):
        return PlainEncoder(spec, address, attention)
    from renaissance.compiler.backbones.stacks import timm_stack, transformers_stack

    if isinstance(spec, Timm) or (isinstance(spec, RandomArchitecture) and is_timm(spec.id)):
        return timm_stack(spec, address, attention=attention, weights=weights)
    return transformers_stack(spec, address, attention=attention, weights=weights)


def build_embedding(
    stream: SourceBlock, address: str, *, stack_width: int, dropout: float
) -> Tower:
    """Return the embeddings of a one-tower model's stream.

    Args:
        stream: their declaration.
        address: its name, for messages.
        stack_width: channels where the declaration does not say.
        dropout: probability of dropping a channel of a token in training.

    Raises:
        CompileError: if they cannot be built as declared.
    """
    width = stream.width or stack_width
    if isinstance(stream, Patches):
        return PatchesTower(stream, width, dropout, address)
    return WordpieceTower(stream, _vocabulary(stream, address), width, dropout)


def _vocabulary(stream: Wordpiece, address: str) -> int:
    if stream.id is None:
        if stream.vocabulary is None:
            raise CompileError(f"`{address}`: a learned vocabulary needs its size, `vocabulary`")
        return stream.vocabulary
    architecture = find(stream.id) or read_folder(stream.id)
    if architecture.vocabulary is None:
        raise CompileError(f"`{address}`: `{stream.id}` has no vocabulary")
    return architecture.vocabulary
