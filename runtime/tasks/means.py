"""Metrics that are means over rows.

Where `metric.py` of a task has `by_row`, which says what each row is worth, intervals are found
without measuring many times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """What a metric is the mean of.

    Attributes:
        places: `[n]` int64, the rows that count, as places among the rows of the split.
        values: `[n]`, what each of them is worth.
    """

    places: np.ndarray
    values: np.ndarray

    @classmethod
    def of_all(cls, values: np.ndarray) -> "Mean":
        """Take the mean over all rows of a split."""
        return cls(places=np.arange(len(values)), values=values)

    def __float__(self) -> float:
        """Return the mean."""
        return float(self.values.mean(dtype=np.float64))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a file is worth that a task measures by itself.

    Attributes:
        metrics: by name.
        means: what those of them that are means are the means of.
        scenes: `[rows]` int64: rows of one number are not independent of each other.
    """

    metrics: Mapping[str, float]
    means: Mapping[str, Mean]
    scenes: np.ndarray


def of_groups(values: np.ndarray, groups: Sequence[str | None], name: str) -> dict[str, Mean]:
    """Return a mean for each group as `NAME.GROUP`; a row without a group counts in none.

    Args:
        values: `[rows]`, what each row of the split is worth.
        groups: of each of them.
        name: of the metric over all rows.
    """
    numbers = {group: place for place, group in enumerate(sorted({*groups} - {None}))}  # type: ignore[type-var]
    number = np.array([-1 if group is None else numbers[group] for group in groups], np.int64)
    order = np.argsort(number, kind="stable")
    ends = np.searchsorted(number[order], np.arange(len(numbers) + 1))
    found = {}
    for group, place in numbers.items():
        mine = order[ends[place] : ends[place + 1]]
        found[f"{name}.{group}"] = Mean(places=mine, values=values[mine])
    return found


def means(found: Mapping[str, Mean]) -> dict[str, float]:
    """Return the metrics."""
    return {name: float(mean) for name, mean in found.items()}
