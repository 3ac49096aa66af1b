"""What a plain text encoder consists of."""

from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.grammar.anatomy.parts import WORDS, EncoderAnatomy


def anatomy(block: PlainText) -> EncoderAnatomy:
    """Return the parts of the encoder."""
    return EncoderAnatomy(layers=block.layers, width=block.width, embeddings=WORDS)
