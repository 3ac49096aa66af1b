"""The event of a validation: losses and metrics on held-out data, which choose the best weights."""

from contextlib import nullcontext

from renaissance.grammar.kinds.data import LOSS, VALIDATION
from renaissance.grammar.schema.jobs import Finetune
from renaissance.runtime.checkpoint import Best
from renaissance.runtime.records import Validate
from renaissance.runtime.training.held_out import Measured, measure, selected_by
from renaissance.runtime.training.progress import Progress
from renaissance.runtime.training.reporting import report, report_missing
from renaissance.runtime.training.saving import save
from renaissance.runtime.training.sharding import gathered
from renaissance.runtime.training.stopping import stop
from renaissance.runtime.training.training import Training


def validate_if_due(training: Training, progress: Progress) -> None:
    """Measure the weights on held-out data, and keep them if none were better.

    Raises:
        InterruptionError: if a signal asked to stop; a checkpoint was written.
    """
    due = training.rhythm.due(training.rhythm.validate, progress.step)
    if not due or progress.step == 0 or progress.validated == progress.step:
        return
    report(training, progress)
    measured = _validate(training)
    if measured is None and training.session.request.signal:
        stop(training, progress)
    progress.validated = progress.step
    progress.restart_clock()
    if measured is not None:
        report_missing(training, progress, measured.missing)
        training.log.write(
            Validate(step=progress.step, losses=measured.losses, metrics=measured.metrics)
        )
    best = _best(training, progress, measured)
    improved, progress.best = best is not progress.best, best
    # Weights that were saved before they were measured get what has been measured.
    if improved or progress.is_saved:
        save(training, progress)


def _validate(training: Training) -> Measured | None:
    """Measure what is held out, by the average of the weights where the job has one.

    Weights and random state are as they were when it returns.

    Returns:
        None if a signal ended it early, or nothing is held out.
    """
    session, data = training.session, training.setup.data
    objectives, average = training.prepared.objectives, training.prepared.average
    session.observer.begin(session.name, "validate", len(data.part("validation")))
    with nullcontext() if average is None else average.in_place(), gathered(objectives):
        objectives.eval()
        try:
            measured = _measured(training)
        finally:
            objectives.train()
    session.observer.finish("validate")
    return measured


def _measured(training: Training) -> Measured | None:
    """Measure by the losses and the mean credit, or by the protocol of a task if that selects."""
    session, job = training.session, training.session.training
    data, prepared = training.setup.data, training.prepared
    processes = session.processes
    batches = data.validation(processes.rank, processes.ranks)

    def advance(done: int) -> None:
        session.observer.advance("validate", done)

    if isinstance(job, Finetune) and job.selects_by not in (job.task.metric, LOSS):
        return training.by_protocol(
            session, prepared.objectives, data, batches, prepared.precision, advance
        )
    return measure(
        session,
        prepared.objectives,
        training.weights,
        batches,
        prepared.precision,
        advance,
        asked=len(data.part(VALIDATION)) if isinstance(job, Finetune) else None,
    )


def _best(training: Training, progress: Progress, measured: Measured | None) -> Best | None:
    """Return the best validation, the one at hand included.

    Where nothing is held out the last weights count as the best.
    """
    step, before = progress.step, progress.best
    if measured is None:
        last = step == training.total_steps and before is None
        return Best(step=step, score=(), losses={}, metrics={}) if last else before
    score = measured.score(training.session.training)
    if before is not None and score <= before.score:
        return before
    return Best(
        step=step,
        score=score,
        losses={"loss": measured.loss, **measured.losses},
        metrics=measured.metrics,
        selected_by=selected_by(training.session.training),
    )
