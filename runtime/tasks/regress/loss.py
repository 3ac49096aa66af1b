"""The distance squared."""

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored, as_number, squared_error
from renaissance.runtime.tasks.regress.schema import Regress


def loss(block: Regress, scores: Tensor, items: Items) -> Scored:
    """Compare scores `[items, 1]` with numbers."""
    assert items.target is not None
    return squared_error(scores, items.target)


def predict(block: Regress, scores: Tensor, choices: int) -> tuple[Tensor, Tensor]:
    """Return the numbers."""
    return as_number(scores, choices)
