"""What embeddings of regions consist of."""

from renaissance.compiler.sources.regions.schema import Regions
from renaissance.grammar.anatomy.parts import REGIONS, EncoderAnatomy


def anatomy(block: Regions) -> EncoderAnatomy:
    """Return the parts of the embeddings."""
    return EncoderAnatomy(layers=0, width=block.width, embeddings=REGIONS, norm=False)
