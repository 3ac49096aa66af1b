"""What a plain stack consists of."""

from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.grammar.anatomy.parts import EncoderAnatomy


def anatomy(block: PlainStack) -> EncoderAnatomy:
    """Return the parts of the stack."""
    return EncoderAnatomy(layers=block.layers, width=block.width)
