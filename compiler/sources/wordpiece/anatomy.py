"""What word embeddings consist of."""

from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.grammar.anatomy.parts import WORDS, EncoderAnatomy


def anatomy(block: Wordpiece) -> EncoderAnatomy:
    """Return the parts of the embeddings."""
    return EncoderAnatomy(layers=0, width=block.width, embeddings=WORDS, norm=False)
