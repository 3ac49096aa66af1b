"""What a plain vision transformer consists of."""

from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.grammar.anatomy.parts import EncoderAnatomy, stem_kinds


def anatomy(block: PlainVision) -> EncoderAnatomy:
    """Return the parts of the encoder."""
    return EncoderAnatomy(layers=block.layers, width=block.width, embeddings=stem_kinds(block.stem))
