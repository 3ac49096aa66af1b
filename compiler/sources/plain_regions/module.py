"""Builds a transformer over regions."""

from renaissance.compiler.backbones.regions import PlainRegionsTower, RegionEmbeddings
from renaissance.compiler.model.tower import Tower
from renaissance.compiler.sources.plain_regions.schema import PlainRegions
from renaissance.grammar.schema.model import Attention


def tower(block: PlainRegions, address: str, *, attention: Attention, weights: bool) -> Tower:
    """Return the encoder of a stream, which starts from random weights."""
    embeddings = RegionEmbeddings(block, block.width, block.dropout)
    return PlainRegionsTower(embeddings, block, address, attention, post_norm=block.norm == "post")
