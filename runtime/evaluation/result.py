"""The result of an evaluation: metrics and what they mean, confusion, some predictions."""

from typing import Any

import numpy as np

from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.head import UNKNOWN
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.runtime.data import JobData
from renaissance.runtime.data.targets import Classes, known
from renaissance.runtime.evaluation.baselines import learned
from renaissance.runtime.evaluation.confusion import confused, table
from renaissance.runtime.evaluation.measuring import Figures, measured
from renaissance.runtime.evaluation.predictions import predicted, shown
from renaissance.runtime.records import JobResult
from renaissance.runtime.results import PREDICTIONS
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.training.session import Session

MOST_ANSWERS = 200
"""Up to how many answers a result holds the whole table of true and predicted ones."""


def figures_of(job: Evaluate, task: TaskBlock, data: JobData, answered: Answered) -> Figures:
    """Measure what is known of a split, and what is reached there without looking."""
    known = None
    if answered.targets is not None and len(answered):
        source = "train" if job.task is None else task.known_from(job.split)
        known = learned(task, data.part(source), data.answers)
    return measured(task, answered, known)


def result_of(
    session: Session,
    job: Evaluate,
    data: JobData,
    answered: Answered,
    figures: Figures,
    loss: float | None,
    *,
    measuring: float,
) -> JobResult:
    """Return the result, of which the model was asked for `measuring` seconds."""
    return JobResult(
        job=job.name,
        kind="evaluate",
        spec_hash=session.spec.hash,
        split=job.split,
        metrics=figures.metrics | _loss(answered, loss),
        rows=figures.rows or None,
        intervals=figures.intervals,
        majority_answer=figures.majority_answer,
        majority=figures.majority,
        chance=figures.chance,
        like_majority=figures.like_majority,
        predictions=PREDICTIONS,
        texts_per_second=len(answered) / max(measuring, 1e-9),
        samples=tuple(predicted(job, data, answered, place) for place in shown(answered)),
        **_confusion(answered),
    )


def _loss(answered: Answered, loss: float | None) -> dict[str, float]:
    """Return the mean loss of the rows that have one."""
    if loss is None or answered.targets is None or not len(answered):
        return {}
    items = known(answered.targets.of(answered.rows))
    return {"loss": loss / items} if items else {}


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
