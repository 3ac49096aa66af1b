"""What a stream or a stack consists of: its layers, and which kinds of parameters stand where."""

from collections.abc import Mapping

from renaissance.grammar.anatomy.parts import UNKNOWN, EncoderAnatomy
from renaissance.grammar.kinds.fusion import ProjectedStreams
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


def projections(
    fusion: ProjectedStreams, streams: Mapping[str, SourceBlock | None], width: int
) -> tuple[tuple[str, ...], bool]:
    """Return the streams that a fusion of a width projects, and whether that is known for sure."""
    widths = {name: stream_anatomy(streams.get(name)).width for name in fusion.inputs}
    projected = tuple(name for name in fusion.inputs if fusion.projects(widths[name], width))
    return projected, fusion.projection == "always" or None not in widths.values()
