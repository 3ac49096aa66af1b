"""The event of a validation: losses and metrics on held-out data, which choose the best weights."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from renaissance.compiler.batch import Batch
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.runtime.checkpoint import Best
from renaissance.runtime.data.moving import moved
from renaissance.runtime.records import Validate
from renaissance.runtime.training.measures import Accuracies
from renaissance.runtime.training.progress import Progress
from renaissance.runtime.training.reporting import report
from renaissance.runtime.training.saving import save
from renaissance.runtime.training.sharding import gathered
from renaissance.runtime.training.stopping import stop
from renaissance.runtime.training.training import Training


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a validation gives.

    Attributes:
        loss: weighted sum of the losses.
        losses: mean over all items of the split, by name of the head.
        metrics: by name.
    """

    loss: float
    losses: dict[str, float]
    metrics: dict[str, float]

    def score(self, job: Pretrain | Finetune) -> tuple[float, ...]:
        """Return what selects the best checkpoint, larger is better.

        A task goes by its metric and, of equals, by the loss; pretraining by the loss. A loss
        that is no number is worse than any.
        """
        by_loss = -math.inf if math.isnan(self.loss) else -self.loss
        if isinstance(job, Finetune):
            return self.metrics.get(job.task.metric, 0.0), by_loss
        return (by_loss,)


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
        training.log.write(
            Validate(step=progress.step, losses=measured.losses, metrics=measured.metrics)
        )
    best = _best(training, progress, measured)
    improved, progress.best = best is not progress.best, best
    # Weights that were saved before they were measured get what has been measured.
    if improved or progress.is_saved:
        save(training, progress)


def _validate(training: Training) -> Measured | None:
    """Measure what is held out; weights and random state stay as they are.

    Returns:
        None if a signal ended it early, or nothing is held out.
    """
    session, data = training.session, training.setup.data
    objectives = training.prepared.objectives
    session.observer.begin(session.name, "validate", len(data.part("validation")))
    batches = data.validation(session.processes.rank, session.processes.ranks)
    with gathered(objectives):
        objectives.eval()
        try:
            measured = _measure(training, batches)
        finally:
            objectives.train()
    session.observer.finish("validate")
    return measured


def _measure(training: Training, batches: Iterator[Batch]) -> Measured | None:
    """Measure this process's part of a split, and sum up over all of them."""
    session, weights, processes = training.session, training.weights, training.session.processes
    objectives, precision = training.prepared.objectives, training.prepared.precision
    accuracies = Accuracies(objectives.metrics, processes)
    sums = torch.zeros(len(weights), dtype=torch.float64, device=processes.device)
    items = dict.fromkeys(weights, 0)
    done = 0
    for batch, on_device in moved(batches, processes.device):
        for head, of_head in batch.items.items():
            items[head] += of_head.known
        with torch.no_grad(), precision.forward():
            scored = objectives(on_device)
        sums += torch.stack([scored[head].loss for head in weights])
        accuracies.update(scored)
        done += batch.rows
        session.observer.advance("validate", done)
        if session.request.signal and processes.ranks == 1:
            return None
    totals = processes.sums([*sums.tolist(), *items.values()])
    if not sum(totals[len(weights) :]):
        return None
    losses = {
        head: total / max(count, 1)
        for head, total, count in zip(weights, totals, totals[len(weights) :], strict=False)
    }
    return Measured(
        loss=sum(weights[head] * loss for head, loss in losses.items()),
        losses=losses,
        metrics=accuracies.take(),
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
    )
