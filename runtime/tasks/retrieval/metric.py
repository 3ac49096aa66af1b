"""Recall and ranks, both ways, over all pairs of a split."""

from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.retrieval.schema import Retrieval


def measure(block: Retrieval, answered: Answered) -> dict[str, float]:
    """Return what `search.py` measured while it held the scores."""
    return {} if answered.searched is None else dict(answered.searched.metrics)
