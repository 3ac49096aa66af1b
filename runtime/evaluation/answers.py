"""What a model says to the questions of a split."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from renaissance.compiler.batch import Batch
from renaissance.compiler.heads import Kind
from renaissance.compiler.losses import Scored, most_likely
from renaissance.grammar.kinds.data import TaskBlock
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.runtime.data import JobData
from renaissance.runtime.data.moving import moved
from renaissance.runtime.precision import Precision
from renaissance.runtime.processes import Processes
from renaissance.runtime.tasks.answered import Answered
from renaissance.runtime.training.session import Session


def ask(
    session: Session,
    data: JobData,
    split: str,
    batches: Iterator[Batch],
    precision: Precision,
    *,
    task: TaskBlock,
    score: Callable[[Batch], Scored],
    advance: Callable[[int], None],
) -> tuple[Answered, float]:
    """Ask a model all questions of a split; all processes come here together.

    Args:
        session: of the evaluation.
        data: of the job.
        split: name of the split.
        batches: this process's part of the split.
        precision: of the forward pass.
        task: what is asked.
        score: gives the scores of a batch.
        advance: is told how many rows are done, and may end it.

    Returns:
        The answers of all processes, in the order of the split's table, and the sum of the loss
        over the rows that have one.
    """
    processes = session.processes
    head = task.head_name()
    predict = getattr(optional_facet(task, "loss"), "predict", _most_likely)
    columns: list[tuple[Tensor, ...]] = []
    loss = torch.zeros((), dtype=torch.float64, device=processes.device)
    done = 0
    for batch, on_device in moved(batches, processes.device):
        rows = batch.items[head].row
        assert rows is not None  # items of a task say what they are about
        with torch.no_grad(), precision.forward():
            scored = score(on_device)
        # A head may have more classes than its data have answers.
        choices = len(data.answers) or scored.scores.shape[-1]
        columns.append((rows, *predict(task, scored.scores, choices)))
        loss += scored.loss
        done += batch.rows
        advance(done)
    asked, predictions, probabilities, *more = _of_all(columns, processes)
    part = data.part(split)
    answered = Answered(
        table=part.table,
        asked=part.rows,
        rows=asked,
        predictions=predictions,
        probabilities=probabilities,
        more=more[0] if more else None,
        answers=data.answers,
        targets=data.targets(split),
    )
    return answered, processes.sums([float(loss)])[0]


def _most_likely(task: Kind, scores: Tensor, choices: int) -> tuple[Tensor, Tensor]:
    return most_likely(scores, choices)


def _of_all(columns: Sequence[tuple[Tensor, ...]], processes: Processes) -> list[np.ndarray]:
    """Return rows, predictions, probabilities and what else is said, of all processes, by row."""
    empty = (torch.zeros(0, dtype=torch.int64),) * 2 + (torch.zeros(0),)
    joined = [
        torch.cat([part.cpu() for part in parts]) for parts in zip(*columns or [empty], strict=True)
    ]
    if processes.ranks > 1:
        of_all = [parts for parts in processes.of_all(joined) if len(parts[0])] or [joined]
        joined = [torch.cat(parts) for parts in zip(*of_all, strict=True)]
    order = joined[0].argsort()
    return [column[order].numpy() for column in joined]
