"""Losses and metrics on held-out data."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch

from renaissance.compiler.batch import Batch
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.data import LOSS
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.runtime.data.moving import moved
from renaissance.runtime.precision import Precision
from renaissance.runtime.training.comparing import Collected
from renaissance.runtime.training.measures import Accuracies
from renaissance.runtime.training.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What held-out data say of a model.

    Attributes:
        loss: weighted sum of the losses.
        losses: mean over all items of the split, by name of the head.
        metrics: by name.
        missing: rows that count as wrong because no image of theirs can be read.
    """

    loss: float
    losses: dict[str, float]
    metrics: dict[str, float]
    missing: int = 0

    def score(self, job: Pretrain | Finetune) -> tuple[float, ...]:
        """Return what selects the best checkpoint, larger is better.

        A task goes by its metric and, of equals, by the loss; pretraining by the loss. What is no
        number, or not defined, is worse than any.
        """
        by_loss = -math.inf if math.isnan(self.loss) else -self.loss
        if selected_by(job) == LOSS:
            return (by_loss,)
        value = self.metrics.get(selected_by(job), -math.inf)
        return (-math.inf if math.isnan(value) else value, by_loss)


def selected_by(job: Pretrain | Finetune) -> str:
    """Return what selects the best checkpoint of a job."""
    return job.selects_by if isinstance(job, Finetune) else LOSS


def measure(
    session: Session,
    objectives: Objectives,
    weights: Mapping[str, float],
    batches: Iterator[Batch],
    precision: Precision,
    advance: Callable[[int], None],
    *,
    asked: int | None = None,
) -> Measured | None:
    """Measure this process's part of a split, and sum up over all of them.

    Args:
        session: of the job.
        objectives: the model with its losses, as it is evaluated.
        weights: factor of each loss in the sum, by name of the head.
        batches: this process's part of the split.
        precision: of the forward pass.
        advance: is told how many rows are done.
        asked: rows of the split, where those whose images cannot be read count as wrong; None
            where others stand in for them.

    Returns:
        None if a signal ended it early, or there is nothing to measure.
    """
    processes = session.processes
    accuracies = Accuracies(objectives.metrics, processes, objectives.further_metrics)
    sums = torch.zeros(len(weights), dtype=torch.float64, device=processes.device)
    items = dict.fromkeys(weights, 0)
    collected, done = Collected(objectives), 0
    for batch, on_device in moved(batches, processes.device):
        for head, of_head in batch.items.items():
            items[head] += of_head.known
        with torch.no_grad(), precision.forward():
            scored = objectives(on_device, collected)
            if batch.last:
                scored |= collected.take()
        sums += torch.stack([scored[head].loss for head in weights])
        accuracies.update(scored)
        done += batch.rows
        advance(done)
        if session.request.signal and processes.ranks == 1:
            return None
    *totals, read = processes.sums([*sums.tolist(), *items.values(), done])
    if not sum(totals[len(weights) :]):
        return None
    missing = 0 if asked is None else asked - int(read)
    losses = {
        head: total / max(count, 1)
        for head, total, count in zip(weights, totals, totals[len(weights) :], strict=False)
    }
    return Measured(
        loss=sum(weights[head] * loss for head, loss in losses.items()),
        losses=losses,
        metrics={
            name: with_missing(value, int(read), missing)
            for name, value in accuracies.take().items()
        },
        missing=missing,
    )


def with_missing(credit: float, read: int, missing: int) -> float:
    """Return a mean credit of rows that were read as that of all; the missing ones have none.

    Credit below zero, as of errors, has no value for what was not said, and stays as it is.
    """
    return credit * read / (read + missing) if missing and credit > 0 else credit
