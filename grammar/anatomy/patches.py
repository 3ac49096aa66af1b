"""The grid of patches that a stream of images has."""

from renaissance.grammar.anatomy.architecture import architecture_of
from renaissance.grammar.kinds.source import SourceBlock


def grid_of(stream: SourceBlock) -> int | None:
    """Return the patches along one side of a square image; None where that is not known.

    Args:
        stream: a resolved one.
    """
    size: int | None = getattr(stream, "image_size", None)
    patch: int | None = getattr(stream, "patch", None)
    if patch is None:
        known = architecture_of(stream)
        patch = None if known is None else known.patch
    return None if size is None or not patch else size // patch
