"""Mean average precision, F1, and how often the most likely class is there."""

import numpy as np

from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.classification import breakdown, kinds_of
from renaissance.runtime.tasks.classification import measure as first_is_right
from renaissance.runtime.tasks.multilabel.schema import Multilabel

LEAST = 0.5
"""Probability from which on a class is said to be there."""


def measure(block: Multilabel, answered: Answered) -> dict[str, float]:
    """Measure what is known; to a row whose image cannot be read nothing is said.

    Means over classes are over those that some row has. Without probabilities, as in a file that
    has none, only the first class counts.
    """
    found = first_is_right(block, answered)
    found |= breakdown(answered, kinds_of(block, answered), block.metric)
    if not found or answered.targets is None or answered.more is None:
        return found
    truth = answered.targets.of(answered.asked) > 0  # [asked, classes]
    likely = np.zeros(truth.shape, np.float32)
    likely[np.searchsorted(answered.asked, answered.rows)] = answered.more
    said = likely >= LEAST
    hits, wanted, given = ((part).sum(axis=0) for part in (said & truth, truth, said))
    there = np.flatnonzero(wanted)
    if len(there):
        found["f1.micro"] = float(2 * hits.sum() / (wanted.sum() + given.sum()))
        found["f1.macro"] = float(np.mean(2 * hits[there] / (wanted + given)[there]))
        precisions = [average_precision(likely[:, one], truth[:, one]) for one in there.tolist()]
        found["mean_average_precision"] = float(np.mean(precisions))
    return found


def average_precision(scores: np.ndarray, right: np.ndarray) -> float:
    """Return the mean, over right rows, of the precision among rows that score as much or more.

    Args:
        scores: `[rows]`; the order of rows that score the same makes no difference.
        right: `[rows]` bool, True for one at least.
    """
    order = np.argsort(-scores, kind="stable")
    # Rows that score the same are reached together.
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(right[order])[last]
    new = np.diff(hits, prepend=0)
    return float((new * hits / (last + 1)).sum() / right.sum())
