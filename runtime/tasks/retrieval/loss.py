"""The own caption among others: cross entropy. Source: Kim et al. 2021, ViLT."""

from dataclasses import replace

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored, cross_entropy
from renaissance.runtime.tasks.retrieval.schema import Retrieval


def loss(block: Retrieval, scores: Tensor, items: Items) -> Scored:
    """Compare scores `[images, candidates]`, of which the first is that of the own caption.

    Where others score the same, credit is what a choice among them by chance would get.
    """
    assert items.target is not None  # the own caption is always there
    scored = cross_entropy(scores, items.target)
    best = scored.scores.amax(-1, keepdim=True)  # [images, 1]
    ties = (scored.scores == best).sum(-1)  # [images]
    return replace(scored, credit=(scored.scores[:, 0] == best[:, 0]).float() / ties)
