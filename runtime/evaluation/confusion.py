"""Which answers were taken for which."""

import numpy as np


def confused(targets: np.ndarray, predictions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count rows by true and predicted answer.

    Args:
        targets: `[rows]` int64, the true answers.
        predictions: `[rows]` int64.

    Returns:
        The pairs that occur, `[pairs, 2]` int64, and how often, `[pairs]` int64.
    """
    both = np.stack([targets, predictions], axis=1)
    pairs, counts = np.unique(both, axis=0, return_counts=True)
    return pairs, counts


def table(pairs: np.ndarray, counts: np.ndarray, answers: int) -> tuple[tuple[int, ...], ...]:
    """Return counts `[n]` of pairs of answers `[n, 2]`, a row for each true one."""
    counted = np.zeros((answers, answers), np.int64)
    counted[pairs[:, 0], pairs[:, 1]] = counts
    return tuple(tuple(row) for row in counted.tolist())
