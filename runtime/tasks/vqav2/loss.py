"""Each answer by itself: binary cross entropy, summed over the answers.

That is what the references compute as the mean over rows and answers times the number of answers.
"""

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored, binary_cross_entropy, most_credited
from renaissance.runtime.tasks.vqav2.schema import Vqav2


def loss(block: Vqav2, scores: Tensor, items: Items) -> Scored:
    """Compare scores `[items, answers]` with the credit of each answer."""
    assert items.target is not None  # nothing is learned from or measured on a hidden split
    return binary_cross_entropy(scores, items.target)


def predict(block: Vqav2, scores: Tensor, choices: int) -> tuple[Tensor, Tensor]:
    """Return the answer of the highest score, and its probability by itself."""
    return most_credited(scores, choices)
