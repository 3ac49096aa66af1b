"""Whether the steps of a job fit a machine, and what would let them."""

from collections.abc import Callable, Iterator
from math import ceil

from renaissance.compiler.planning.job_plan import Fit, Remedy, Stage
from renaissance.compiler.planning.models import drafted
from renaissance.compiler.planning.stages import Conditions, Stages
from renaissance.compiler.step import Objectives
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.schema.model import Model

_TRIES = 4
"""Micro-batches that are traced, at most: how memory follows from their size is nearly a line."""

Measure = Callable[[int | None], list[Stage]]


def fit(stages: Stages, found: list[Stage], job: Job, room: int) -> Fit:
    """Say whether a job fits.

    Args:
        stages: traces other forms of its steps; may recompute afterwards.
        found: its stages as they are.
        job: what is done.
        room: bytes that there are.
    """
    worst = largest(found)
    needed = worst.memory.peak
    remedies: tuple[Remedy, ...] = ()
    if needed > room and not isinstance(job, Evaluate):
        remedies = tuple(_remedies(stages, worst, job, room))
    return Fit(fits=needed <= room, needed=needed, room=room, remedies=remedies)


def peak_of(
    job: Pretrain | Finetune, declared: Model, conditions: Conditions, shards: int = 1
) -> int:
    """Return the bytes of the largest step of a job that recomputes nothing.

    Args:
        job: what is learned; its `batch` is that of one process.
        declared: the model with the changes of the job.
        conditions: what is supposed.
        shards: processes over which averages of weights are split. Weights and gradients may be
            whole at the peak of a step, and are counted so.
    """
    model, resolved = drafted(declared, job)
    stages = Stages(Objectives(model, declared, job), resolved, job, job, conditions)
    memory = largest([stage for _, stage in stages.traced()]).memory
    averages = memory.optimizer + memory.average
    return memory.peak - averages + ceil(averages / shards)


def largest(stages: list[Stage]) -> Stage:
    """Return the stage that needs most memory."""
    return max(stages, key=lambda stage: stage.memory.peak)


def _remedies(
    stages: Stages, worst: Stage, job: Pretrain | Finetune, room: int
) -> Iterator[Remedy]:
    def measured(micro_batch: int | None) -> Stage:
        return largest([stage for _, stage in stages.traced(micro_batch)])

    texts = min(job.micro_batch or job.batch, job.batch)
    smaller = _micro_batch(measured, worst, texts, room)
    if smaller is not None:
        yield _remedy(f"`micro_batch = {smaller[0]}`", smaller[1], worst)
    if stages.recomputes or not stages.lowers:
        return
    stages.recompute()
    again = measured(None)
    if again.memory.peak <= room:
        yield _remedy("`recompute = layers`", again, worst)
    elif smaller is None:
        both = _micro_batch(measured, again, texts, room)
        if both is not None:
            change = f"`recompute = layers` with `micro_batch = {both[0]}`"
            yield _remedy(change, both[1], worst)


def _micro_batch(
    measured: Callable[[int | None], Stage], whole: Stage, texts: int, room: int
) -> tuple[int, Stage] | None:
    """Return the largest part of a micro-batch that fits, and its stage; None if none does."""
    memory = whole.memory
    kept = memory.optimizer + memory.average + memory.momentum
    fixed = memory.parameters + kept + memory.gradients + memory.inputs
    if fixed >= room:
        return None
    parts = max(ceil((memory.peak - fixed) / (room - fixed)), 2)
    for count in range(parts, parts + _TRIES):
        size = ceil(texts / count)
        stage = measured(size)
        if stage.memory.peak <= room:
            return size, stage
        if size == 1:
            break
    return None


def _remedy(change: str, stage: Stage, before: Stage) -> Remedy:
    slowdown = None
    if stage.speed is not None and before.speed is not None:
        slowdown = stage.speed.step / before.speed.step
    return Remedy(change=change, peak=stage.memory.peak, slowdown=slowdown)
