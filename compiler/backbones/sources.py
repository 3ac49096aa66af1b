"""Streams by their source in the spec."""

from renaissance.compiler.backbones.plain import (
    PatchesTower,
    PlainTextTower,
    PlainVisionTower,
    WordpieceTower,
)
from renaissance.compiler.backbones.tower import Tower
from renaissance.compiler.errors import CompileError
from renaissance.grammar.catalogue import find, read_folder
from renaissance.grammar.schema.streams import (
    Backbone,
    Embedding,
    Patches,
    PlainText,
    PlainVision,
    Wordpiece,
)


def build_tower(stream: Backbone, address: str, *, weights: bool) -> Tower:
    """Return the encoder of a two-tower model's stream.

    Args:
        stream: its declaration.
        address: its name, for messages.
        weights: load the published ones where the source has them; without, only the shape counts.
    """
    if isinstance(stream, PlainText):
        return PlainTextTower(stream, address)
    if isinstance(stream, PlainVision):
        return PlainVisionTower(stream, address)
    raise CompileError(f"`{address}`: source `{stream.source}` is not supported")


def build_embedding(stream: Embedding, address: str, *, stack_width: int, dropout: float) -> Tower:
    """Return the embeddings of a one-tower model's stream.

    Args:
        stream: their declaration.
        address: its name, for messages.
        stack_width: channels where the declaration does not say.
        dropout: probability of dropping a channel of a token in training.
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
