"""What an objective compares with that follows the model instead of learning."""

from renaissance.grammar.record import Record


class Moving(Record):
    """A moving copy of what an objective compares, and the vectors that it remembers.

    Attributes:
        momentum: share of the copy that a step leaves.
        queue: texts and images of earlier steps whose vectors are kept; 0 for none.
        width: channels of a vector.
    """

    momentum: float
    queue: int
    width: int
