"""The event of a line in the log: what the steps since the last one came to."""

import torch
from torch.distributed.tensor import DTensor

from renaissance.grammar.kinds.data import VALIDATION
from renaissance.runtime.records import Step, Unreadable
from renaissance.runtime.training.not_finite import not_finite
from renaissance.runtime.training.progress import Progress
from renaissance.runtime.training.training import Training


def report(training: Training, progress: Progress) -> None:
    """Write a line about the steps since the last one; all processes come here together.

    Raises:
        JobError: if the loss of one of them is not finite.
    """
    if not len(training.losses):
        return
    loss, losses, broken = training.losses.take()
    metrics = training.accuracies.take()
    if broken is not None:
        raise not_finite(training, broken)
    training.log.write(
        Step(
            step=progress.step,
            loss=loss,
            losses=losses,
            metrics=metrics,
            lr=training.rate.at(progress.step - 1),
            gradient_norm=_norm(training),
            memory=_memory(),
            texts_per_second=progress.take_speed(),
            seconds=progress.seconds,
        )
    )
    _report_overflows(training, progress)
    _report_unreadable(training, progress)


def _norm(training: Training) -> float | None:
    """Return the norm of the last gradient before it was clipped; of all processes where split."""
    norm = training.step.norm
    if isinstance(norm, DTensor):
        norm = norm.full_tensor()
    return None if norm is None else norm.item()


def _memory() -> int | None:
    """Return the most bytes that tensors have held on a GPU; None without one."""
    initialized = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return torch.cuda.max_memory_allocated() if initialized else None


def _report_overflows(training: Training, progress: Progress) -> None:
    precision = training.prepared.precision
    count = precision.skipped()
    if count:
        training.log.notice(
            f"gradients overflowed in fp16: up to step {progress.step} {count} "
            f"step{'s were' if count > 1 else ' was'} skipped; losses are now scaled by "
            f"{precision.scale:g}"
        )


def report_missing(training: Training, progress: Progress, missing: int) -> None:
    """Name the held-out images that cannot be read, and say once how many rows that makes wrong."""
    _report_unreadable(training, progress)
    if missing > progress.missing:
        progress.missing = missing
        training.log.notice(
            f"{missing} rows of `{VALIDATION}` have an image that cannot be read and count as wrong"
        )


def _report_unreadable(training: Training, progress: Progress) -> None:
    unreadable = training.setup.data.unreadable
    if len(unreadable) > progress.unreadable:
        progress.unreadable = len(unreadable)
        paths = tuple(path for path, _ in unreadable)
        training.log.write(Unreadable(paths=paths, count=len(paths)))
