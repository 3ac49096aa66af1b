"""Builds patch embeddings."""

from renaissance.compiler.backbones.embeddings import PatchEmbeddings
from renaissance.compiler.backbones.plain import PatchesTower
from renaissance.compiler.model.tower import Tower
from renaissance.compiler.sources.patches.schema import Patches


def embedding(block: Patches, address: str, *, stack_width: int, dropout: float) -> Tower:
    """Return the embeddings of a stream, as wide as the stack where the block does not say."""
    width = block.width or stack_width
    return PatchesTower(
        PatchEmbeddings(block.image_size, block.patch, width, block.stem, dropout, address)
    )
