"""How wrong `mlm` is about hidden tokens."""

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored, cross_entropy
from renaissance.runtime.objectives.mlm.schema import Mlm


def loss(block: Mlm, scores: Tensor, items: Items) -> Scored:
    """Compare scores `[items, vocabulary]` with the tokens that stood there."""
    assert items.target is not None  # an objective knows what it hid
    return cross_entropy(scores, items.target)
