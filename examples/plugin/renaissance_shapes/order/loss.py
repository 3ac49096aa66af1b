"""How wrong `order` is."""

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored, cross_entropy
from renaissance_shapes.order.schema import Order


def loss(block: Order, scores: Tensor, items: Items) -> Scored:
    """Compare scores `[items, 2]` with what was done to each text."""
    assert items.target is not None  # it is known what was reversed
    return cross_entropy(scores, items.target)
