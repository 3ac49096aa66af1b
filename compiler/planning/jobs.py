"""What a job costs: passes, memory and time, for each stage in which the same parameters learn."""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from renaissance.compiler.attention import PRODUCTS
from renaissance.compiler.constancy import hold_in_low_precision
from renaissance.compiler.demand import readings, unread_parts
from renaissance.compiler.freeze import FreezePlan
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.planning.caching import caching
from renaissance.compiler.planning.components import flops_of
from renaissance.compiler.planning.figures import (
    Flops,
    JobPlan,
    ModelPlan,
    Run,
    Sharing,
    Stage,
)
from renaissance.compiler.planning.machines import Device, Machine
from renaissance.compiler.planning.memory import accumulate, forget, memory_of
from renaissance.compiler.planning.models import described, drafted
from renaissance.compiler.planning.passes import Pass, job_pass, text_tokens
from renaissance.compiler.planning.speed import speed_of
from renaissance.compiler.planning.substitution import Substitution
from renaissance.compiler.planning.tracing import Trace, trace
from renaissance.grammar.schema.declaration import Share
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.schema.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a plan supposes.

    Attributes:
        device: whose kernels run.
        machine: whose speed counts; None for no times.
        tokens: of a text; as many as its tower takes if None.
        texts: of an epoch; None if unknown.
    """

    device: Device
    machine: Machine | None
    tokens: int | None
    texts: int | None


def plan_job(
    name: str, job: Job, training: Pretrain | Finetune, declared: Model, conditions: Conditions
) -> JobPlan:
    """Plan one job.

    Args:
        name: of the job.
        job: what is done.
        training: the job whose heads the model gets.
        declared: the model with the changes of the job.
        conditions: what is supposed.

    Raises:
        CompileError: if the model cannot be built, or does not go with the conditions.
    """
    model, resolved = drafted(declared, training)
    # On a GPU the kernels of the project read packed texts as they are.
    packed = conditions.device == "cpu"
    step = job_pass(model, job, training, conditions.tokens, packed=packed)
    texts = job.batch
    total = _steps(job, conditions.texts)
    stages: list[Stage] = []
    first: tuple[ModelPlan, Trace] | None = None
    kept = caching(model, declared, job=job, training=training, tokens=conditions.tokens)
    if training.precision != "fp32" and not isinstance(job, Evaluate):
        end = total or _SUPPOSED
        never = resolved.frozen(end - 1, end)
        hold_in_low_precision(model, never, PRODUCTS[training.precision])
    for start, place, length in _stages(job, resolved, total):
        resolved.apply(model, place, total or _SUPPOSED)
        if isinstance(job, Evaluate):
            model.eval().requires_grad_(False)
        traced, stage = _stage(model, step, job, training, conditions, start, length)
        first = first or (
            described(model, resolved, traced, step.texts, kept, PRODUCTS[training.precision]),
            traced,
        )
        stages.append(stage)
    assert first is not None  # there is always a stage
    planned, traced = first
    run = _run(job, total, stages, conditions)
    needed = max(stage.memory.peak for stage in stages)
    room = conditions.machine.memory if conditions.machine else None
    fits = None if room is None else needed <= room
    return JobPlan(
        name=name,
        kind=job.job,
        model=planned,
        batch=texts,
        micro_batch=step.texts,
        texts_per_image=1 if isinstance(job, Evaluate) else job.texts_per_image,
        tokens=text_tokens(model, conditions.tokens),
        precision=training.precision,
        sharing=_sharing(step, traced),
        reads=readings(model),
        unread=tuple(unread_parts(model)),
        stages=tuple(stages),
        run=run,
        fits=fits,
        advice=_advice(job, training, step.texts) if fits is False else "",
    )


_SUPPOSED = 10**9
"""Steps of a run of unknown length: shares of it are then places in it all the same."""


def _steps(job: Job, texts: int | None) -> int | None:
    if isinstance(job, Evaluate):
        return None if texts is None else ceil(texts / job.batch)
    if job.steps is not None:
        return job.steps
    return None if texts is None or job.epochs is None else ceil(job.epochs * texts / job.batch)


def _stages(
    job: Job, resolved: FreezePlan, total: int | None
) -> list[tuple[str | int, int, int | None]]:
    """Return stages: where they start as written, a step in them, how many steps they have."""
    length = total or _SUPPOSED
    starts: dict[int, str | int] = {0: 0}
    if not isinstance(job, Evaluate):
        for selection in resolved.selections:
            place, until = selection.thaws_at(length), selection.directive.until
            if place is not None and 0 < place < length and until is not None:
                starts[place] = str(until) if isinstance(until, Share) else until
    places = sorted(starts)
    ends = [*places[1:], length]
    return [
        (starts[place], place, end - place if total else None)
        for place, end in zip(places, ends, strict=True)
    ]


def _stage(
    model: VisionLanguageModel,
    step: Pass,
    job: Job,
    training: Pretrain | Finetune,
    conditions: Conditions,
    start: str | int,
    length: int | None,
) -> tuple[Trace, Stage]:
    passes = ceil(job.batch / step.texts)
    forget(model)
    if passes > 1:
        accumulate(model)
    substitution = Substitution(conditions.device, training.precision)
    with torch.no_grad() if isinstance(job, Evaluate) else nullcontext():
        traced = trace(
            model, step.run, held=step.images.values(), backward=True, substitution=substitution
        )
    memory = memory_of(
        model, traced, inputs=passes * _bytes(step.images.values()), accumulated=passes > 1
    )
    forget(model)
    speed = None
    if conditions.machine is not None:
        speed = speed_of(
            conditions.machine,
            traced.kernels,
            memory,
            precision=training.precision,
            passes=passes,
            texts=job.batch,
        )
    return traced, Stage(
        start=start,
        steps=length,
        trainable=sum(part.numel() for part in model.parameters() if part.requires_grad),
        flops_per_sample=flops_of(traced.operations, step.texts),
        memory=memory,
        speed=speed,
    )


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(part.numel() * part.element_size() for part in tensors)


def _sharing(step: Pass, traced: Trace) -> Sharing:
    forward = training = 0.0
    for tower in step.towers:
        root = f"{tower.stream}."
        mine = [part for part in traced.operations if f"{part.address}.".startswith(root)]
        flops: Flops = flops_of(mine, step.texts)
        more = tower.unshared / tower.rows - 1
        forward += flops.forward * more
        training += flops.training * more
    return Sharing(
        texts=step.texts, towers=step.towers, forward=round(forward), training=round(training)
    )


def _run(job: Job, total: int | None, stages: list[Stage], conditions: Conditions) -> Run:
    missing = []
    if total is None:
        what = "an evaluation" if isinstance(job, Evaluate) else f"{job.epochs} epochs"
        missing.append(f"{what} of how many texts? add --texts N, as `renaissance data` shows them")
    if conditions.machine is None:
        missing.append("time on what? add --gpu NAME or --bench FILE")
    if missing:
        return Run(steps=total, seconds=None, missing="; ".join(missing))
    parts = [(stage.steps, stage.speed) for stage in stages]
    seconds = sum((steps or 0) * speed.step for steps, speed in parts if speed is not None)
    return Run(steps=total, seconds=seconds)


def _advice(job: Job, training: Pretrain | Finetune, texts: int) -> str:
    if isinstance(job, Evaluate):
        return f"a smaller `batch` than {texts}"
    said = [f"`micro_batch` below {texts}" if texts > 1 else "", "freezing a tower"]
    if training.precision == "fp32":
        said.append("`precision = bf16`")
    return ", or ".join(part for part in said if part)
