"""Accuracy, and its mean over the two answers, which guessing does not raise."""

import numpy as np

from renaissance.runtime.tasks.answered import Answered
from renaissance_shapes.yes_no.schema import YesNo


def measure(block: YesNo, answered: Answered) -> dict[str, float]:
    """Return `accuracy` and `balanced_accuracy` of what was asked."""
    credit = answered.credit
    if credit is None or not len(answered.asked):
        return {}
    right = answered.of_asked(credit)
    wanted = np.array(answered.column_of_asked("answer"))
    shares = [right[wanted == answer].mean() for answer in np.unique(wanted)]
    return {"accuracy": float(right.mean()), "balanced_accuracy": float(np.mean(shares))}
