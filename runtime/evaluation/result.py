"""The result of an evaluation: metrics, confusion, some predictions."""

from typing import Any

import numpy as np

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.head import UNKNOWN
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.runtime.data import JobData
from renaissance.runtime.data.targets import Classes, known
from renaissance.runtime.evaluation.confusion import confused, table
from renaissance.runtime.evaluation.predictions import predicted, shown
from renaissance.runtime.records import JobResult
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.tasks.classification import measure
from renaissance.runtime.training.session import Session

MOST_ANSWERS = 200
"""Up to how many answers a result holds the whole table of true and predicted ones."""


def result_of(
    session: Session,
    job: Evaluate,
    task: TaskBlock,
    data: JobData,
    answered: Answered,
    loss: float | None,
    *,
    seconds: float,
    measuring: float,
) -> JobResult:
    """Return the result; of all its `seconds` the model was asked for `measuring`."""
    return JobResult(
        job=job.name,
        kind="evaluate",
        spec_hash=session.spec.hash,
        split=job.split,
        metrics=_metrics(task, answered, loss),
        seconds=seconds,
        texts_per_second=len(answered) / max(measuring, 1e-9),
        samples=tuple(predicted(job, data, answered, place) for place in shown(answered)),
        **_confusion(answered),
    )


def _metrics(task: TaskBlock, answered: Answered, loss: float | None) -> dict[str, float]:
    """Measure what is known; nothing of a split of which nobody knows what is right."""
    if answered.targets is None:
        return {}
    metric = optional_facet(task, "metric")
    found = dict((measure if metric is None else metric.measure)(task, answered.measured))
    if loss is None:
        return found
    items = known(answered.targets.of(answered.rows)) if len(answered) else 0
    if items:
        found["loss"] = loss / items
    return found


def _confusion(answered: Answered) -> dict[str, Any]:
    """Return which answers were taken for which, where one of them is right."""
    if not isinstance(answered.targets, Classes) or not answered.answers:
        return {}
    targets: np.ndarray = answered.targets.of(answered.rows)
    there = targets != UNKNOWN
    pairs, counts = confused(targets[there], answered.predictions[there])
    found: dict[str, Any] = {"answers": answered.answers}
    if len(answered.answers) <= MOST_ANSWERS:
        return found | {"confusion": table(pairs, counts, len(answered.answers))}
    entries = zip(pairs.tolist(), counts.tolist(), strict=True)
    return found | {"confused": tuple((*pair, count) for pair, count in entries)}
