"""Correlations and the root of the mean squared distance."""

from renaissance.runtime.data.targets import Numbers
from renaissance.runtime.tasks.agreement import correlations, root_mean_square
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.regress.schema import Regress


def measure(block: Regress, answered: Answered) -> dict[str, float]:
    """Measure the rows whose images can be read: without one there is no number to compare."""
    known = answered.targets
    if not isinstance(known, Numbers) or not len(answered):
        return {}
    right = known.of(answered.rows)
    found = {"rmse": root_mean_square(answered.predictions, right)}
    return found | correlations(answered.predictions, right)
