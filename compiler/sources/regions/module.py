"""Builds embeddings of regions."""

from renaissance.compiler.backbones.regions import RegionEmbeddings, RegionsTower
from renaissance.compiler.model.tower import Tower
from renaissance.compiler.sources.regions.schema import Regions


def embedding(block: Regions, address: str, *, stack_width: int, dropout: float) -> Tower:
    """Return the embeddings of a stream, as wide as the stack where the block does not say."""
    return RegionsTower(RegionEmbeddings(block, block.width or stack_width, dropout))
