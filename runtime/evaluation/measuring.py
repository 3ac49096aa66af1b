"""The metrics of a task with what tells whether they mean something: intervals and baselines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.runtime.data.targets import Numbers
from renaissance.runtime.evaluation.baselines import Learned, by_chance, by_majority
from renaissance.runtime.evaluation.finite import finite
from renaissance.runtime.evaluation.intervals import (
    Interval,
    halves,
    of_difference,
    of_draws,
    of_mean,
)
from renaissance.runtime.tasks import classification
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.means import Mean, means


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured of the rows of which it is known what is right.

    Attributes:
        rows: how many there are; where numbers are predicted, how many have one.
        metrics: by name.
        intervals: by name, as far as there is more than one image.
        majority: what the most frequent answer gives, by name.
        majority_answer: this answer in words.
        chance: what answers by chance give, by name.
        like_majority: names of metrics that are not distinguishable from those of that answer.
        credit: `[asked]` float64, what each row is worth, NaN where a number is wanted and none is
            predicted; None where nobody knows what is right.
    """

    rows: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    majority: dict[str, float] = field(default_factory=dict)
    majority_answer: str | None = None
    chance: dict[str, float] = field(default_factory=dict)
    like_majority: tuple[str, ...] = ()
    credit: np.ndarray | None = None


def measure(task: TaskBlock, answered: Answered) -> dict[str, float]:
    """Return the metrics of a task by its official protocol."""
    return _measured(task, answered)[0]


def _measured(task: TaskBlock, answered: Answered) -> tuple[dict[str, float], Mapping[str, Mean]]:
    """Return metrics, and what they are the means of; nothing there where they are no means."""
    if answered.searched is not None:
        return dict(answered.searched.metrics), answered.searched.means
    metric = optional_facet(task, "metric")
    rows = classification.by_row if metric is None else getattr(metric, "by_row", None)
    if rows is None:
        assert metric is not None  # or there were rows
        return finite(metric.measure(task, answered), metric.__name__), {}
    found: Mapping[str, Mean] = rows(task, answered)
    return means(found), found


def measured(task: TaskBlock, answered: Answered, known: Learned | None) -> Figures:
    """Measure what is known; nothing of a split of which nobody knows what is right.

    Args:
        task: says by what protocol.
        answered: all rows of the split.
        known: what there is to know of answers without looking; None for no baselines.
    """
    answered = answered.measured
    if answered.targets is None or not len(answered.asked):
        return Figures()
    metrics, rows = _measured(task, answered)
    majority = None if known is None else by_majority(answered, known)
    plain, plain_rows = ({}, {}) if majority is None else _measured(task, majority)
    chance: Mapping[str, float] = {}
    if answered.searched is not None:
        chance = answered.searched.chance
    elif known is not None:
        chance = _mean(measure(task, said) for said in by_chance(answered, known))
    intervals: dict[str, Interval] = {}
    alike: set[str] = set()
    if rows:
        intervals, alike = of_means(rows, plain_rows, answered.scenes)
    else:
        intervals, alike = _of_halves(task, answered, majority)
    return Figures(
        rows=len(answered if isinstance(answered.targets, Numbers) else answered.asked),
        metrics=metrics,
        intervals={name: intervals[name] for name in metrics if name in intervals},
        majority={name: plain[name] for name in metrics if name in plain},
        chance={name: chance[name] for name in metrics if name in chance},
        majority_answer=None if known is None else known.words,
        like_majority=tuple(name for name in metrics if name in alike),
        credit=_credit(task, answered, rows),
    )


def of_means(
    rows: Mapping[str, Mean], majority: Mapping[str, Mean], scenes: np.ndarray
) -> tuple[dict[str, Interval], set[str]]:
    """Return intervals of means, and the names of those that are like the majority's.

    Args:
        rows: what each metric is the mean of.
        majority: the same of the majority's answer.
        scenes: `[rows]` int64; rows of one scene are no independent ones.
    """
    intervals: dict[str, Interval] = {}
    alike = set()
    for name, mine in rows.items():
        clusters = scenes[mine.places]
        if (interval := of_mean(mine.values, clusters)) is not None:
            intervals[name] = interval
        if (other := majority.get(name)) is not None:
            apart = of_difference(mine.values.astype(np.float64) - other.values, clusters)
            if _holds_nothing(apart):
                alike.add(name)
    return intervals, alike


def _of_halves(
    task: TaskBlock, answered: Answered, majority: Answered | None
) -> tuple[dict[str, Interval], set[str]]:
    """Return the same of metrics that are no means, from halves of the images."""
    drawn: dict[str, list[float]] = {}
    apart: dict[str, list[float]] = {}
    chosen = np.zeros(len(answered.table), bool)
    for half in halves(answered.scenes):
        chosen[answered.asked] = half
        plain = {} if majority is None else measure(task, majority.within(chosen))
        for name, value in measure(task, answered.within(chosen)).items():
            drawn.setdefault(name, []).append(value)
            if name in plain:
                apart.setdefault(name, []).append(value - plain[name])
    intervals = {name: of_draws(np.array(values)) for name, values in drawn.items()}
    differences = {name: of_draws(np.array(values)) for name, values in apart.items()}
    return intervals, {name for name, found in differences.items() if _holds_nothing(found)}


def _credit(task: TaskBlock, answered: Answered, rows: Mapping[str, Mean]) -> np.ndarray:
    """Return what each row is worth: `[rows]` float64, of the leading metric where it is a mean."""
    leading = rows.get(task.metric)
    if leading is not None and len(leading.places) == len(answered.asked):
        return leading.values.astype(np.float64)
    assert answered.credit is not None  # of these rows it is known what is right
    # Without an answer a row is wrong; how far from a number nobody can say.
    absent = np.nan if isinstance(answered.targets, Numbers) else 0.0
    return answered.of_asked(answered.credit.astype(np.float64), absent)


def _holds_nothing(interval: Interval | None) -> bool:
    """Tell whether a difference may be none."""
    return interval is not None and interval[0] <= 0 <= interval[1]


def _mean(times: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each metric, of those times at which it is defined."""
    found: dict[str, list[float]] = {}
    for metrics in times:
        for name, value in metrics.items():
            found.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}
