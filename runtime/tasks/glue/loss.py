"""Cross entropy between classes; where a number is wanted, the distance squared."""

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import (
    Scored,
    as_number,
    cross_entropy,
    most_likely,
    squared_error,
)
from renaissance.runtime.tasks.glue.schema import Glue

LARGEST = 5.0
"""Similarities of STS-B lie between 0 and this."""


def loss(block: Glue, scores: Tensor, items: Items) -> Scored:
    """Compare scores `[items, outputs]` with what is right."""
    assert items.target is not None
    compare = cross_entropy if block.layout.classes else squared_error
    return compare(scores, items.target)


def predict(block: Glue, scores: Tensor, choices: int) -> tuple[Tensor, Tensor]:
    """Return the most likely class and its probability, or a number that can be right."""
    if block.layout.classes:
        return most_likely(scores, choices)
    number, probability = as_number(scores, choices)
    return number.clamp(0, LARGEST), probability
