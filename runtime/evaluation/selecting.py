"""Selecting a checkpoint by the protocol of a task: by what it says to all held-out rows."""

from collections.abc import Callable, Iterator

import numpy as np

from renaissance.compiler.batch import Batch
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.data import VALIDATION, TaskBlock
from renaissance.runtime.data import JobData
from renaissance.runtime.data.targets import known
from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.evaluation.answers import ask
from renaissance.runtime.evaluation.measuring import measure
from renaissance.runtime.precision import Precision
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.training.held_out import Measured, with_missing
from renaissance.runtime.training.session import Session


def by_protocol(
    session: Session,
    objectives: Objectives,
    data: JobData,
    batches: Iterator[Batch],
    precision: Precision,
    advance: Callable[[int], None],
) -> Measured | None:
    """Measure all metrics of a task on its held-out rows, the mean credit among them.

    Args:
        session: of a fine-tuning; all processes come here together.
        objectives: the model with its loss, as it is evaluated.
        data: of the job.
        batches: this process's part of the held-out rows.
        precision: of the forward pass.
        advance: is told how many rows are done.

    Returns:
        None if a signal ended it early, or there is nothing to measure.
    """

    def further(done: int) -> None:
        advance(done)
        if session.request.signal and session.processes.ranks == 1:
            raise InterruptionError(session.request.signal, "stopped while it was measured")

    [(head, task)] = objectives.kinds.items()
    assert isinstance(task, TaskBlock)
    try:
        answered, loss = ask(
            session,
            data,
            VALIDATION,
            batches,
            precision,
            task=task,
            score=lambda batch: objectives(batch)[head],
            advance=further,
        )
    except InterruptionError:
        return None
    items = known(answered.targets.of(answered.rows)) if answered.targets and len(answered) else 0
    if not items:
        return None
    found = {task.metric: _credit(answered)} | measure(task, answered)
    return Measured(
        loss=loss / items,
        losses={head: loss / items},
        metrics={name: found[name] for name in task.selectable() if name in found},
        missing=len(answered.missing),
    )


def _credit(answered: Answered) -> float:
    """Return the mean credit; rows whose images cannot be read have none."""
    assert answered.credit is not None  # something is known
    mean = float(np.nanmean(answered.credit.astype(np.float64)))
    return with_missing(mean, len(answered), len(answered.missing))
