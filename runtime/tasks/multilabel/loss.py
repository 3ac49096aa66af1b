"""Binary cross entropy of each class, added up."""

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored, binary_cross_entropy, most_credited
from renaissance.runtime.tasks.multilabel.schema import Multilabel


def loss(block: Multilabel, scores: Tensor, items: Items) -> Scored:
    """Compare scores `[items, classes]` with the classes that there are."""
    assert items.target is not None
    return binary_cross_entropy(scores, items.target)


def predict(block: Multilabel, scores: Tensor, choices: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the most likely class, its probability, and those of all `[items, classes]`."""
    return *most_credited(scores, choices), scores.sigmoid()[:, :choices]
