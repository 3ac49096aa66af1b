"""How wrong `mim` is about hidden patches."""

from torch import Tensor

from renaissance.compiler.batch import Items
from renaissance.compiler.losses import Scored
from renaissance.runtime.objectives.mim.schema import Mim

EPS = 1e-6
"""Added to a variance that is divided by, as in MAE."""


def loss(block: Mim, scores: Tensor, items: Items) -> Scored:
    """Compare what is predicted `[items, n]` with what is there, at mean 0 and variance 1.

    The credit of a patch is the share of its variance that is predicted: 1 where all is right, 0
    for its mean, and less for worse.
    """
    assert items.target is not None  # it is known what was hidden
    target = normalised(items.target.float())
    error = scores.float() - target  # [items, n]
    squared = error.square().mean(1)  # [items]
    lost = squared if block.loss == "l2" else error.abs().mean(1)
    return Scored(
        loss=lost.sum(),
        scores=scores.detach().float(),
        target=target,
        credit=1 - squared.detach(),
    )


def normalised(patches: Tensor) -> Tensor:
    """Bring each of `[items, n]` to mean 0 and variance 1. Source: He et al. 2022, MAE."""
    variance, mean = patches.var(1, keepdim=True), patches.mean(1, keepdim=True)
    return (patches - mean) / (variance + EPS).sqrt()
