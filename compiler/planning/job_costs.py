"""What a job costs: passes, memory and time, for each stage in which the same parameters learn."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from renaissance.compiler.addresses import parameter_addresses
from renaissance.compiler.demand import readings, unread_parts
from renaissance.compiler.expected import SPECIAL_TOKENS
from renaissance.compiler.freeze import FreezePlan
from renaissance.compiler.layer_decay import said_of_decay
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.dispatch import PRODUCTS
from renaissance.compiler.lowering.implementations import Place
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.planning.caching import Known, caching
from renaissance.compiler.planning.components import flops_of
from renaissance.compiler.planning.fitting import fit, largest
from renaissance.compiler.planning.job_plan import (
    JobPlan,
    Run,
    Saving,
    SearchPlan,
    Sharing,
    Stage,
    Stored,
)
from renaissance.compiler.planning.machines import Machine
from renaissance.compiler.planning.matching import Scoring, matched, pass_of, search_plan
from renaissance.compiler.planning.model_plan import Flops
from renaissance.compiler.planning.models import context_of, described, drafted, place_of
from renaissance.compiler.planning.passes import Pass, text_tokens
from renaissance.compiler.planning.savings import savings
from renaissance.compiler.planning.stages import (
    Conditions,
    Stages,
    as_measured,
    steps_of_job,
)
from renaissance.compiler.planning.supply import reading, stored
from renaissance.compiler.planning.tracing import Trace
from renaissance.compiler.step import Objectives
from renaissance.grammar.kinds.data import AllPairs
from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.schema.model import Model


def plan_job(
    name: str,
    job: Job,
    training: Pretrain | Finetune,
    declared: Model,
    conditions: Conditions,
    known: Known | None = None,
) -> JobPlan:
    """Plan a job of this name.

    Args:
        job: what is done.
        training: the job whose heads the model gets.
        declared: the model with the changes of the job.
        conditions: what is supposed.
        known: of towers, what `caching` found.

    Raises:
        CompileError: if the model cannot be built, or does not go with the conditions.
    """
    conditions = in_words(training, conditions)
    model, resolved = drafted(declared, training)
    tokens = conditions.tokens
    kept = caching(model, declared, job=job, training=training, tokens=tokens, known=known)
    objectives = Objectives(model, declared, training)
    job = as_measured(job, training, objectives)
    every, scored, conditions = _of_rows(objectives, job, training, conditions)
    step = pass_of(objectives, job, conditions.tokens, scored, packed=conditions.device == "cpu")
    stages = Stages(objectives, resolved, job, training, conditions)
    machine, learns = conditions.machine, not isinstance(job, Evaluate)
    room = None if machine is None else machine.room
    traced = _traced(stages, training, room, learns=learns)
    first, found = traced[0][0], [stage for _, stage in traced]
    place, products = place_of(conditions.device, machine), PRODUCTS[training.precision]
    context = _context(declared, place, stages, training, learns=learns)
    return JobPlan(
        name=name,
        kind=job.job,
        model=described(model, resolved, first, step.texts, kept, place, products, context),
        batch=job.batch,
        micro_batch=step.texts,
        texts_per_image=1 if isinstance(job, Evaluate) else job.texts_per_image,
        tokens=text_tokens(model, conditions.tokens),
        precision=training.precision,
        sharing=_sharing(step, first),
        reads=readings(model) if scored is None else scored.matching.reads(readings(model)),
        unread=tuple(unread_parts(model)),
        stages=tuple(found),
        run=_run(job, found, conditions),
        recomputes=stages.recomputes,
        reading=None if machine is None else reading(job, training, found, machine),
        checkpoint=_stored(job, model, declared, resolved, stages, training, found[-1], machine),
        search=_searched(every, scored, step, first),
        rates=_rates(job, model),
        average=_average(job, training),
        has_text=_has_text(training),
        compares=tuple(_compares(objectives, job, step.texts)),
        savings=_savings(stages, model, declared, job, conditions, found),
        fit=None if room is None else fit(stages, found, job, room),  # last: it changes the model
    )


def of_another(
    plan: JobPlan, name: str, job: Job, training: Pretrain | Finetune, conditions: Conditions
) -> JobPlan:
    """Return the plan of a job that costs what another one costs.

    Args:
        plan: of the other one.
        name: of the job.
        job: what is done.
        training: the job whose heads the model gets.
        conditions: what is supposed.
    """
    # What is missing is asked for by the name of the job.
    run = _run(job, plan.stages, conditions) if plan.run.steps is None else plan.run
    return replace(plan, name=name, run=run, average=_average(job, training))


def _savings(
    stages: Stages,
    model: VisionLanguageModel,
    declared: Model,
    job: Job,
    conditions: Conditions,
    found: list[Stage],
) -> tuple[Saving, ...]:
    """Return what freezing each tower would save, where a machine has times and the job learns."""
    if conditions.machine is None or isinstance(job, Evaluate):
        return ()
    recomputes = stages.recomputes
    return tuple(savings(model, declared, job, conditions, found, recomputes=recomputes))


def _context(
    declared: Model, place: Place, stages: Stages, training: Pretrain | Finetune, *, learns: bool
) -> Context:
    """Return what the model of a job is lowered for."""
    return replace(
        context_of(declared, place),
        products=stages.held_in,
        never=stages.never,
        compiles=training.compile == "layers" and learns,
        recomputes=stages.recomputes,
    )


def _compares(objectives: Objectives, job: Job, texts: int) -> Iterator[str]:
    """Say what an objective costs that compares all rows of a step."""
    for name, head in objectives.model.heads.declared.items():
        moving = objectives.moving.get(name)
        if head.reads != "streams" or isinstance(job, Evaluate):
            continue
        yield f"`{name}` compares all {job.batch:,} texts and images of a step, of all processes"
        if moving is not None:
            more = f" and of {moving.queue:,} texts and images before it" if moving.queue else ""
            yield (
                f"with vectors of a moving copy, of which a step leaves {moving.momentum:g}: those "
                f"of the step{more}; the copy runs forward once, and nothing learns from it"
            )
        if texts < job.batch:
            yield (
                f"what `{name}` reads is computed twice, because the gradients of a pass depend on "
                "all passes: first without, then with what the backward pass needs"
            )


def _rates(job: Job, model: VisionLanguageModel) -> tuple[str, ...]:
    """Return how the learning rates of a job fall with the depth of layers."""
    if isinstance(job, Evaluate) or not job.decay_lr:
        return ()
    said = tuple(said_of_decay(model, parameter_addresses(model), job.decay_lr))
    scaled = [name for name in job.scale_lr if name.partition(".")[0] in job.decay_lr]
    if not scaled:
        return said
    return (*said, f"factors of `scale_lr` for {listing(scaled)} are multiplied with these")


def _stored(
    job: Job,
    model: VisionLanguageModel,
    declared: Model,
    resolved: FreezePlan,
    stages: Stages,
    training: Pretrain | Finetune,
    last: Stage,
    machine: Machine | None,
) -> Stored | None:
    """Return what a checkpoint at the end of a training takes."""
    if isinstance(job, Evaluate):
        return None
    averages, momentum = _kept(training), last.memory.momentum
    return stored(model, declared, resolved, stages.length, averages, momentum, machine)


def _kept(training: Pretrain | Finetune) -> int:
    """Return how many averages a checkpoint has of each number that learns."""
    return training.optimizer.averages + (training.average is not None)


def _average(job: Job, training: Pretrain | Finetune) -> str | None:
    """Say which weights are measured of a job that averages them."""
    if training.average is None:
        return None
    if isinstance(job, Evaluate):
        which = "the last weights" if job.weights == "last" else "the average of the weights"
        return f"measures {which} of the best checkpoint of `{job.of}`"
    return (
        f"an average of the weights, of which a step leaves {training.average:g}, is kept in "
        "float32, measured, and taken by later jobs"
    )


def _every_pair(
    job: Job, training: Pretrain | Finetune, counted: tuple[int, int] | None
) -> AllPairs | None:
    """Return what is scored by an evaluation of all pairs of a split that is counted or known."""
    if not isinstance(job, Evaluate) or not isinstance(training, Finetune):
        return None
    every = None if counted is None else training.task.every_pair(*counted)
    return every or training.task.pairs(job.split)


def _of_rows(
    objectives: Objectives, job: Job, training: Pretrain | Finetune, conditions: Conditions
) -> tuple[AllPairs | None, Scoring | None, Conditions]:
    """Return what is scored, and the conditions for as many rows as everything makes passes of."""
    counted = conditions.counted
    scored = matched(job, objectives, counted)
    every = _every_pair(job, training, counted) if scored is None else scored.every
    rows = None if every is None else every.scored
    if scored is not None:
        rows = scored.rows
    return every, scored, conditions if rows is None else replace(conditions, texts=rows)


def _searched(
    every: AllPairs | None, scored: Scoring | None, step: Pass, traced: Trace
) -> SearchPlan | None:
    if scored is not None and every is not None:
        return search_plan(scored, step, traced)
    return _search(every, step, traced)


def in_words(training: Pretrain | Finetune, conditions: Conditions) -> Conditions:
    """Return the conditions with the tokens of a text that has no words, where a task has none."""
    return conditions if _has_text(training) else replace(conditions, tokens=SPECIAL_TOKENS)


def _has_text(training: Pretrain | Finetune) -> bool:
    return not isinstance(training, Finetune) or training.task.has_text


def _search(every: AllPairs | None, step: Pass, traced: Trace) -> SearchPlan | None:
    """Count towers once for each of their inputs, and the fusion once a pair, as it was traced."""
    if every is None:
        return None
    whole = flops_of(traced.operations, 1).forward
    one: dict[str, float] = {}
    for tower in step.towers:
        root = f"{tower.stream}."
        mine = [part for part in traced.operations if f"{part.address}.".startswith(root)]
        flops: Flops = flops_of(mine, 1)
        one[tower.modality] = one.get(tower.modality, 0.0) + flops.forward / tower.rows
        whole -= flops.forward
    pair = whole / step.texts
    everything = every.images * every.texts
    return SearchPlan(
        images=every.images,
        texts=every.texts,
        pairs=every.scored,
        encoding=round(every.images * one["vision"] + every.texts * one["text"]),
        joining=round(every.scored * pair),
        products=0,
        plain=round(everything * (sum(one.values()) + pair)),
    )


def _traced(
    stages: Stages, training: Pretrain | Finetune, room: int | None, *, learns: bool
) -> list[tuple[Trace, Stage]]:
    """Return the stages of a job, recomputed where the job says so or does not fit otherwise."""
    learns = learns and stages.lowers
    if learns and training.recompute == "layers":
        stages.recompute()
    traced = stages.traced()
    if not learns or training.recompute != "auto" or room is None:
        return traced
    if largest([stage for _, stage in traced]).memory.peak <= room:
        return traced
    stages.recompute()
    return stages.traced()


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


def _run(job: Job, stages: Sequence[Stage], conditions: Conditions) -> Run:
    """Return how long a job lasts that has some stages, or what to state so that it is known."""
    missing, total = [], steps_of_job(job, conditions.texts)
    if total is None:
        what = "an evaluation" if isinstance(job, Evaluate) else f"{job.epochs} epochs"
        asked = f"--texts {job.name}=N" if isinstance(job, Evaluate) else "--texts N"
        missing.append(f"{what} of how many texts? add {asked}, as `renaissance data` shows them")
    if conditions.machine is None:
        missing.append("time on what? add --gpu NAME or --bench FILE")
    if missing:
        return Run(steps=total, seconds=None, missing="; ".join(missing))
    parts = [(stage.steps, stage.speed) for stage in stages]
    seconds = sum((steps or 0) * speed.step for steps, speed in parts if speed is not None)
    return Run(steps=total, seconds=seconds)
