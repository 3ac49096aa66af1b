"""What a stream or a stack consists of: its layers, and which kinds of parameters stand where."""

from renaissance.grammar.anatomy.parts import UNKNOWN, EncoderAnatomy
from renaissance.grammar.kinds.registry import facet
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.record import replace


def stream_anatomy(stream: SourceBlock | None) -> EncoderAnatomy:
    """Return the parts of a stream; of None nothing is known."""
    if stream is None:
        return UNKNOWN
    found: EncoderAnatomy = facet(stream, "anatomy").anatomy(stream)
    return found


def stack_anatomy(stack: SourceBlock) -> EncoderAnatomy:
    """Return the parts of a stack of layers, which has no embeddings."""
    found = stream_anatomy(stack)
    return replace(found, embeddings=frozenset(), relative=False, downsampling=())
