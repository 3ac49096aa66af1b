"""Losses and metrics of a model on held-out data."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch

from renaissance.compiler.batch import Batch
from renaissance.compiler.step import Objectives
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.runtime.data.moving import moved
from renaissance.runtime.observer import Observer
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes
from renaissance.runtime.signals import StopRequest
from renaissance.runtime.training.measures import Accuracies


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was found.

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


def measure(
    objectives: Objectives,
    batches: Iterator[Batch],
    *,
    weights: Mapping[str, float],
    precision: Precision,
    processes: Processes,
    observer: Observer,
    request: StopRequest,
) -> Measured | None:
    """Measure a split; weights and random state stay as they are.

    Args:
        objectives: the model with its losses; in training mode again afterwards.
        batches: this process's part of the split.
        weights: factor of each loss in the sum.
        precision: of the forward pass.
        processes: that share the split.
        observer: is told how many texts of this process are done.
        request: ends a measurement by a process of its own early.

    Returns:
        None if it was ended early, or the split is empty.
    """
    accuracies = Accuracies(objectives.metrics, processes)
    sums = torch.zeros(len(weights), dtype=torch.float64, device=processes.device)
    items = dict.fromkeys(weights, 0)
    done = 0
    objectives.eval()
    try:
        for batch, on_device in moved(batches, processes.device):
            for head, asked in batch.items.items():
                items[head] += asked.known
            with torch.no_grad(), precision.forward():
                scored = objectives(on_device)
            sums += torch.stack([scored[head].loss for head in weights])
            accuracies.update(scored)
            done += batch.rows
            observer.advance("validate", done)
            if request.signal and processes.ranks == 1:
                return None
    finally:
        objectives.train()
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
