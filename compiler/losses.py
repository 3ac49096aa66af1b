"""How wrong scores are, and what they say: of classes, shares of credit, numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from renaissance.grammar.kinds.head import UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What one head says about its items, and how wrong it is.

    Attributes:
        loss: sum over the items, float32; 0 where there are none, or nobody knows what is right.
        scores: `[items, classes]` float32, detached.
        target: as in `Items`.
        credit: `[items]` float32, 1 for an item that is right and 0 for one that is wrong, or a
            share; NaN for one of which nobody knows. None where nobody knows of any.
        further: credit by the names of further metrics (`ObjectiveBlock.further_metrics`).
    """

    loss: Tensor
    scores: Tensor
    target: Tensor | None
    credit: Tensor | None
    further: Mapping[str, Tensor] = field(default_factory=dict)


def unmeasured(scores: Tensor) -> Scored:
    """Return scores `[items, classes]` of items of which nobody knows what is right."""
    scores = scores.detach().float()
    return Scored(loss=scores.new_zeros(()), scores=scores, target=None, credit=None)


def cross_entropy(scores: Tensor, target: Tensor) -> Scored:
    """Compare with one right class.

    Args:
        scores: `[items, classes]`, logits.
        target: `[items]` int64; `UNKNOWN` counts as wrong and is left out of the loss.
    """
    scores = scores.float()
    # The sum over no items is 0 and still reaches the head's parameters, with zero gradients.
    loss = F.cross_entropy(scores, target, reduction="sum", ignore_index=UNKNOWN)
    scores = scores.detach()
    credit = (scores.argmax(-1) == target).float()
    return Scored(loss=loss, scores=scores, target=target, credit=credit)


def binary_cross_entropy(scores: Tensor, target: Tensor) -> Scored:
    """Compare with the share of credit that each class would get; classes are added up.

    Args:
        scores: `[items, classes]`, logits.
        target: `[items, classes]`, 0 to 1; a row of NaN is left out.
    """
    scores = scores.float()
    known = target[:, :1].isfinite()  # [items, 1]
    loss = F.binary_cross_entropy_with_logits(
        scores, target.nan_to_num(), known.to(scores.dtype), reduction="sum"
    )
    scores = scores.detach()
    credit = target.gather(1, scores.argmax(-1, keepdim=True))[:, 0]
    return Scored(loss=loss, scores=scores, target=target, credit=credit)


def squared_error(scores: Tensor, target: Tensor) -> Scored:
    """Compare with a number. Credit is the negative squared error.

    Args:
        scores: `[items, 1]`, the predicted numbers.
        target: `[items]`; NaN is left out.
    """
    scores = scores.float()
    predicted = scores[:, 0]  # [items]
    # What is not known is taken to be what was predicted: no error, and no gradient.
    known = torch.where(target.isfinite(), target, predicted.detach())
    loss = (predicted - known).square().sum()
    credit = -(predicted.detach() - target).square()
    return Scored(loss=loss, scores=scores.detach(), target=target, credit=credit)


def most_likely(scores: Tensor, choices: int) -> tuple[Tensor, Tensor]:
    """Return the class of the highest probability where one class is right, and that probability.

    Args:
        scores: `[items, classes]`, logits.
        choices: classes that can be given, the first of all; a head may have more.

    Returns:
        `[items]` int64 and `[items]` float32.
    """
    probability, prediction = scores.softmax(-1)[:, :choices].max(-1)
    return prediction, probability


def best_first(scores: Tensor, choices: int, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same as `most_likely`, and the classes of the highest probabilities.

    Args:
        scores: `[items, classes]`, logits.
        choices: classes that can be given.
        most: of them that are named.

    Returns:
        `[items]` int64, `[items]` float32 and `[items, most]` int64, the best one first.
    """
    found = scores.softmax(-1)[:, :choices].topk(min(most, choices))
    return found.indices[:, 0], found.values[:, 0], found.indices


def most_credited(scores: Tensor, choices: int) -> tuple[Tensor, Tensor]:
    """Return the same where several classes may be right, each by itself."""
    probability, prediction = scores.sigmoid()[:, :choices].max(-1)
    return prediction, probability


def as_number(scores: Tensor, choices: int) -> tuple[Tensor, Tensor]:
    """Return the predicted numbers `[items]` float32, and no probability (NaN)."""
    return scores[:, 0], torch.full_like(scores[:, 0], torch.nan)
