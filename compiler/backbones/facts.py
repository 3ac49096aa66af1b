"""What data and checkpoints need to know about a stream."""

from renaissance.compiler.backbones.tower import BackboneReference, Tower
from renaissance.compiler.errors import BackboneError
from renaissance.grammar.catalogue import HALF, Statistics
from renaissance.grammar.schema.streams import Patches, PlainVision, Stream, modality


def normalisation(stream: Stream) -> Statistics:
    """Return mean and standard deviation of each colour that a vision stream expects.

    Raises:
        BackboneError: if it reads text, or nothing is known about it.
    """
    if modality(stream) != "vision":
        raise BackboneError("a text stream has no pixels to normalise")
    if isinstance(stream, (PlainVision, Patches)):
        return HALF
    raise BackboneError(f"nothing is known about source `{stream.source}`")


def reference(tower: Tower) -> BackboneReference | None:
    """Return where a tower's pretrained weights came from; None where it has none."""
    return tower.reference
