"""Which answers were taken for which."""

import torch
from torch import Tensor


def confused(labels: Tensor, predictions: Tensor) -> tuple[Tensor, Tensor]:
    """Count rows by true and predicted answer.

    Returns:
        The pairs that occur, `[pairs, 2]` int64, and how often, `[pairs]` int64.
    """
    both = torch.stack([labels, predictions], dim=1)
    pairs, counts = torch.unique(both, dim=0, return_counts=True)
    return pairs, counts


def table(pairs: Tensor, counts: Tensor, answers: int) -> tuple[tuple[int, ...], ...]:
    """Return counts for every pair of answers, a row for each true one."""
    counted = torch.zeros(answers, answers, dtype=torch.int64)
    counted[pairs[:, 0], pairs[:, 1]] = counts
    return tuple(tuple(row) for row in counted.tolist())
