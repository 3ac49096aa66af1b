"""Builds a plain vision transformer."""

from renaissance.compiler.backbones.embeddings import PatchEmbeddings
from renaissance.compiler.backbones.plain import PlainVisionTower
from renaissance.compiler.model.tower import Tower
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.grammar.kinds.source import fit_of
from renaissance.grammar.schema.model import Attention


def tower(block: PlainVision, address: str, *, attention: Attention, weights: bool) -> Tower:
    """Return the encoder of a stream, which starts from random weights."""
    embeddings = PatchEmbeddings(
        block.image_size,
        block.patch,
        block.width,
        block.stem,
        block.dropout,
        address,
        fit_of(block),
    )
    return PlainVisionTower(embeddings, block, address, attention)
