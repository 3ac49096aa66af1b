"""Each answer by itself."""

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored, binary_cross_entropy
from tests.kinds.shares.schema import SharesOfCredit


def loss(block: SharesOfCredit, scores: Tensor, items: Items) -> Scored:
    """Compare scores with what is wanted."""
    assert items.target is not None
    return binary_cross_entropy(scores, items.target)
