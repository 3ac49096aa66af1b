"""The event of a validation, which chooses the best weights."""

from renaissance.runtime.checkpoint import Best
from renaissance.runtime.records import Validate
from renaissance.runtime.training.measuring import Measured, measure
from renaissance.runtime.training.progress import Progress
from renaissance.runtime.training.reporting import report
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
    measured = _measure(training)
    if measured is None and training.session.request.signal:
        stop(training, progress)
    progress.validated = progress.step
    progress.restart_clock()
    if measured is not None:
        training.log.write(
            Validate(step=progress.step, losses=measured.losses, metrics=measured.metrics)
        )
    best = _best(training, progress, measured)
    improved, progress.best = best is not progress.best, best
    # Weights that were saved before they were measured get what has been found.
    if improved or progress.is_saved:
        save(training, progress)


def _measure(training: Training) -> Measured | None:
    session, data, prepared = training.session, training.setup.data, training.prepared
    session.observer.begin(session.name, "validate", len(data.part("validation")))
    with gathered(prepared.objectives):
        measured = measure(
            prepared.objectives,
            data.validation(session.processes.rank, session.processes.ranks),
            weights=training.weights,
            precision=prepared.precision,
            processes=session.processes,
            observer=session.observer,
            request=session.request,
        )
    session.observer.finish("validate")
    return measured


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
    )
