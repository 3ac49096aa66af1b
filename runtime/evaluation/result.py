"""The result of an evaluation: metrics, confusion, some predictions."""

from renaissance.compiler.batch import UNKNOWN
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.runtime.data import JobData
from renaissance.runtime.evaluation.answers import Answers
from renaissance.runtime.evaluation.confusion import confused, table
from renaissance.runtime.evaluation.predictions import predicted, shown
from renaissance.runtime.records import JobResult
from renaissance.runtime.training.session import Session

MOST_ANSWERS = 200
"""Up to how many answers a result holds the whole table of true and predicted ones."""


def result_of(
    session: Session,
    job: Evaluate,
    data: JobData,
    answers: Answers,
    *,
    seconds: float,
    measuring: float,
) -> JobResult:
    """Return the result; of all its `seconds` the model was asked for `measuring`."""
    measured = answers.labels != UNKNOWN
    metrics = {}
    if len(measured):
        metrics["accuracy"] = float((answers.predictions == answers.labels).double().mean())
    if measured.any():
        metrics["loss"] = answers.loss / int(measured.sum())
    pairs, counts = confused(answers.labels[measured], answers.predictions[measured])
    few = len(data.answers) <= MOST_ANSWERS
    return JobResult(
        job=job.name,
        kind="evaluate",
        spec_hash=session.spec.hash,
        split=job.split,
        metrics=metrics,
        seconds=seconds,
        texts_per_second=len(measured) / max(measuring, 1e-9),
        answers=data.answers,
        confusion=table(pairs, counts, len(data.answers)) if few else (),
        confused=()
        if few
        else tuple((*pair, n) for pair, n in zip(pairs.tolist(), counts.tolist(), strict=True)),
        samples=tuple(predicted(job, data, answers, row) for row in shown(answers)),
    )
