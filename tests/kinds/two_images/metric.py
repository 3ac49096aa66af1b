"""Accuracy, and the share of first images all of whose rows are right."""

from collections import defaultdict

from renaissance.runtime.tasks.answered import Answered
from tests.kinds.two_images.schema import TwoImages


def measure(block: TwoImages, answered: Answered) -> dict[str, float]:
    """Return both."""
    groups: dict[str, list[float]] = defaultdict(list)
    assert answered.credit is not None
    for name, credit in zip(answered.column("id"), answered.credit.tolist(), strict=True):
        groups[name.partition("-")[0]].append(credit)
    return {
        "accuracy": float(answered.credit.mean()),
        "consistency": sum(min(group) for group in groups.values()) / len(groups),
    }
