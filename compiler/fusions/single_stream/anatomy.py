"""What one stack over a joint sequence consists of."""

from collections.abc import Mapping

from renaissance.compiler.fusions.single_stream.schema import SingleStream
from renaissance.grammar.anatomy.encoders import stack_anatomy, stream_anatomy
from renaissance.grammar.anatomy.parts import FusionAnatomy, encoder_parts, joining_parts
from renaissance.grammar.kinds.source import SourceBlock, is_embedding


def anatomy(
    fusion: SingleStream, root: str, streams: Mapping[str, SourceBlock | None]
) -> FusionAnatomy:
    """Return the parts of the fusion at an address.

    Args:
        fusion: its declaration.
        root: its address.
        streams: that it joins; None for one of which nothing more is known.
    """
    encoder = stack_anatomy(fusion.encoder)
    projected = tuple(name for name in fusion.inputs if _differs(streams.get(name), encoder.width))
    return FusionAnatomy(
        layers=encoder.layers,
        parts=(
            joining_parts(root, projected, typed=fusion.type_embedding),
            encoder_parts(root, encoder),
        ),
        widths=dict.fromkeys(fusion.inputs, encoder.width),
        known=encoder.known,
    )


def _differs(stream: SourceBlock | None, width: int | None) -> bool:
    """Tell whether a linear map changes the width of a stream, as far as widths are known."""
    if stream is None or not is_embedding(stream):
        return True
    own = stream_anatomy(stream).width
    return own is not None and own != width
