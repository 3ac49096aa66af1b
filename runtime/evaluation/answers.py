"""What a fine-tuned model says to the questions of a split."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from renaissance.compiler.batch import Batch
from renaissance.compiler.step import Objectives
from renaissance.runtime.data.moving import moved
from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.precision import Precision
from renaissance.runtime.training.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a model said, row by row.

    Attributes:
        samples: `[rows]` int64, index into the split's table.
        labels: `[rows]` int64, `UNKNOWN` for answers that training never saw.
        predictions: `[rows]` int64, the answer of the highest probability.
        probabilities: `[rows]` float32, of the predictions.
        loss: sum of the cross entropy over the rows with a known answer.
    """

    samples: Tensor
    labels: Tensor
    predictions: Tensor
    probabilities: Tensor
    loss: float


def ask(
    session: Session,
    objectives: Objectives,
    batches: Iterator[Batch],
    *,
    choices: int,
    precision: Precision,
) -> Answers:
    """Ask a model all questions of a split; all processes come here together.

    Args:
        session: of the evaluation.
        objectives: the model with its losses.
        batches: this process's part of the split.
        choices: answers that the data have.
        precision: of the forward pass.

    Returns:
        The answers of all processes, in the order of the split's table.

    Raises:
        InterruptionError: if a signal asked to stop.
    """
    processes, request = session.processes, session.request
    columns: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    loss = torch.zeros((), dtype=torch.float64, device=processes.device)
    done = 0
    for batch, on_device in moved(batches, processes.device):
        [(head, items)] = batch.items.items()
        assert items.row is not None and items.target is not None  # items of a task
        with torch.no_grad(), precision.forward():
            scored = objectives(on_device)[head]
        # A head may have more classes than its data have answers.
        probability, prediction = scored.scores.softmax(-1)[:, :choices].max(-1)
        columns.append((items.row, items.target, prediction, probability))
        loss += scored.loss
        done += batch.rows
        session.observer.advance("evaluate", done)
        if request.signal:
            raise InterruptionError(request.signal, "the evaluation was stopped before its end")
    empty = (torch.zeros(0, dtype=torch.int64),) * 3 + (torch.zeros(0),)
    joined = [
        torch.cat([part.cpu() for part in parts]) for parts in zip(empty, *columns, strict=True)
    ]
    if processes.ranks > 1:
        of_all = processes.of_all(joined)
        joined = [torch.cat(parts) for parts in zip(*of_all, strict=True)]
    order = joined[0].argsort()
    samples, labels, predictions, probabilities = (column[order] for column in joined)
    return Answers(
        samples=samples,
        labels=labels,
        predictions=predictions,
        probabilities=probabilities,
        loss=processes.sums([float(loss)])[0],
    )
