"""Three candidates a row."""

from renaissance.compiler.expected import Expected, Shape
from tests.kinds.candidates.schema import AmongCandidates


def expected(block: AmongCandidates, shape: Shape) -> Expected:
    """Return what a pass is asked for."""
    return Expected(pairs=3 * shape.rows, images=2 * shape.images, items=shape.rows, candidates=3)
