"""The steps of a training and what happens between them, in this order."""

from collections.abc import Sequence

from renaissance.compiler.batch import Batch
from renaissance.runtime.data.moving import with_following
from renaissance.runtime.training.progress import Progress
from renaissance.runtime.training.reporting import report
from renaissance.runtime.training.saving import save
from renaissance.runtime.training.step import Stepped
from renaissance.runtime.training.stopping import stop
from renaissance.runtime.training.thawing import thaw_if_due
from renaissance.runtime.training.training import Training
from renaissance.runtime.training.validating import validate_if_due

SILENCE = 10.0
"""Seconds after which a line is due in any case."""


def run_steps(training: Training, progress: Progress) -> None:
    """Do all steps that are left.

    Args:
        training: what it consists of; the model has the weights of `progress.step`.
        progress: how far it is.

    Raises:
        InterruptionError: if a signal asked to stop; a checkpoint was written.
        JobError: if the job cannot go on.
    """
    session, rhythm = training.session, training.rhythm
    observer, processes = session.observer, session.processes
    observer.begin(session.name, "train", training.total_steps)
    observer.advance("train", progress.step)
    training.prepared.objectives.train()
    # A job that was stopped before it could measure does so now.
    validate_if_due(training, progress)
    batches = training.setup.data.train(progress.step, processes.rank, processes.ranks)
    for of_step, following in with_following(batches, training.step.looks_ahead):
        thaw_if_due(training, progress)
        stepped = _step(training, progress, of_step, following)
        observer.advance("train", progress.step)
        if stepped.report:
            report(training, progress)
        validate_if_due(training, progress)
        if stepped.save or rhythm.due(rhythm.checkpoint, progress.step):
            save(training, progress)
        if stepped.stop or (session.request.signal and processes.ranks == 1):
            stop(training, progress)
    report(training, progress)
    observer.finish("train")


def _step(
    training: Training, progress: Progress, batches: Sequence[Batch], following: Batch | None
) -> Stepped:
    """Do one step; what one process asks for, all of them hear."""
    rhythm = training.rhythm
    stepped = training.step(
        batches,
        step=progress.step,
        rate=training.rate.at(progress.step),
        stop=bool(training.session.request.signal),
        report=progress.since_line > SILENCE or rhythm.due(rhythm.report, progress.step + 1),
        save=progress.since_checkpoint > rhythm.checkpoint_seconds,
        following=following,
    )
    training.losses.add(progress.step, stepped.losses)
    progress.count(stepped.texts)
    return stepped
