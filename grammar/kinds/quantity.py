"""What a measured number is: which way is better, in what it is shown, and where it can lie."""

from collections.abc import Mapping
from math import inf

from renaissance.grammar.record import Record

WORDS_OF_SHARES = ("accuracy", "consistency", "precision", "recall", "f1", "explained")
"""In the name of a metric they say that it is a share, where its kind says nothing else."""


class Quantity(Record):
    """What the values of a metric are.

    Attributes:
        less_is_better: of errors, losses and ranks.
        share: kept as a part of 1 and shown in per cent.
        low: no value is below it.
        high: no value is above it.
        step: how far two different values of a row are apart at least; 0 where any are possible.
        of_rows: it is a mean over rows, so that its own steps are those of a row over their number.
    """

    less_is_better: bool = False
    share: bool = False
    low: float = -inf
    high: float = inf
    step: float = 0.0
    of_rows: bool = True

    @property
    def unit(self) -> str:
        """In what it is shown; empty where that is what it is kept in."""
        return "%" if self.share else ""

    @property
    def span(self) -> float:
        """How far two values can be apart at most."""
        return self.high - self.low

    def steps(self, rows: int | None) -> float:
        """Return how far two different values are apart at least.

        Args:
            rows: on which it was measured; None where that is not known.
        """
        if not self.of_rows:
            return self.step
        return self.step / rows if rows else 0.0


PLAIN = Quantity()
"""A number of which more is better, and nothing else is known."""
SHARE = Quantity(share=True, low=0.0, high=1.0, step=1.0)
"""The share of rows that are right."""
EXPLAINED = Quantity(share=True, high=1.0)
"""The share of a variance that is predicted: below 0 where a constant would be nearer."""
CORRELATION = Quantity(low=-1.0, high=1.0)
ERROR = Quantity(less_is_better=True, low=0.0)
"""An error or a loss."""
NEGATIVE_ERROR = Quantity(high=0.0)
"""An error with the other sign, so that more is better."""
MEAN_RANK = Quantity(less_is_better=True, low=1.0, step=1.0)
"""On which place the first right one stands, counted from 1."""
MEDIAN_RANK = Quantity(less_is_better=True, low=1.0, step=0.5, of_rows=False)


def quantity(metric: str, declared: Mapping[str, Quantity]) -> Quantity:
    """Return what a metric is.

    Args:
        metric: its name; behind a point stands a part of the rows: `accuracy.number`.
        declared: what the kinds that are measured say of their metrics, by name. Of others the
            name tells whether they are shares, and more of them is better.
    """
    whole = metric.partition(".")[0]
    found = declared.get(metric) or declared.get(whole)
    if found is not None:
        return found
    return SHARE if any(word in whole.lower() for word in WORDS_OF_SHARES) else PLAIN
