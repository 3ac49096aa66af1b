"""What a transformer over regions consists of."""

from renaissance.compiler.sources.plain_regions.schema import PlainRegions
from renaissance.grammar.anatomy.parts import REGIONS, EncoderAnatomy


def anatomy(block: PlainRegions) -> EncoderAnatomy:
    """Return the parts of the encoder."""
    return EncoderAnatomy(
        layers=block.layers, width=block.width, embeddings=REGIONS, norm=block.norm == "pre"
    )
