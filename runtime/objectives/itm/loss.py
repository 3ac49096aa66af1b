"""How wrong `itm` is about pairs."""

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored, cross_entropy
from renaissance.runtime.objectives.itm.schema import Itm


def loss(block: Itm, scores: Tensor, items: Items) -> Scored:
    """Compare scores `[pairs, 2]` with what was paired: 1 where the image is the text's own."""
    assert items.target is not None  # an objective knows what it paired
    return cross_entropy(scores, items.target)
