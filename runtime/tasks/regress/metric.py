"""Correlations and the root of the mean squared distance."""

import numpy as np

from renaissance.runtime.data.targets import Numbers
from renaissance.runtime.tasks.agreement import correlations, root_mean_square
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.classification import kinds_of
from renaissance.runtime.tasks.regress.schema import Regress


def measure(block: Regress, answered: Answered) -> dict[str, float]:
    """Measure the rows whose images can be read: without one there is no number to compare."""
    known = answered.targets
    if not isinstance(known, Numbers) or not len(answered):
        return {}
    right = known.of(answered.rows)
    found = {"rmse": root_mean_square(answered.predictions, right)}
    found |= correlations(answered.predictions, right)
    kinds = dict(zip(answered.asked.tolist(), kinds_of(block, answered), strict=True))
    mine = [kinds[row] for row in answered.rows.tolist()]
    for kind in sorted({*mine} - {None}, key=str):
        there = np.array([one == kind for one in mine])
        found[f"rmse.{kind}"] = root_mean_square(answered.predictions[there], right[there])
    return found
