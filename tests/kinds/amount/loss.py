"""The distance squared."""

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored, squared_error
from tests.kinds.amount.schema import Amount


def loss(block: Amount, scores: Tensor, items: Items) -> Scored:
    """Compare scores with what is wanted."""
    assert items.target is not None
    return squared_error(scores, items.target)
