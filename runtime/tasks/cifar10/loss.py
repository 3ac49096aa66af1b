"""Cross entropy; what is predicted are the best five classes."""

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored, best_first, cross_entropy
from renaissance.runtime.tasks.cifar10.schema import Cifar10


def loss(block: Cifar10, scores: Tensor, items: Items) -> Scored:
    """Compare scores `[items, classes]` with the right classes."""
    assert items.target is not None
    return cross_entropy(scores, items.target)


def predict(block: Cifar10, scores: Tensor, choices: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best class, its probability, and the best five."""
    return best_first(scores, choices, 5)
