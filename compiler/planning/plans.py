"""Everything about a spec's models and jobs that is worth knowing before time is spent on them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from renaissance.compiler.asked import check_asked
from renaissance.compiler.errors import CompileError
from renaissance.compiler.planning.caching import Known
from renaissance.compiler.planning.job_costs import of_another, plan_job
from renaissance.compiler.planning.job_plan import JobPlan
from renaissance.compiler.planning.machines import Device, Machine
from renaissance.compiler.planning.models import plan_model
from renaissance.compiler.planning.same_costs import same_costs
from renaissance.compiler.planning.spec_plan import Plan
from renaissance.compiler.planning.stages import Conditions
from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Evaluate, Job
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec


def plan(
    spec: Spec,
    model: str | None = None,
    *,
    tokens: int | None = None,
    texts: int | Mapping[str, int] | None = None,
    counted: Mapping[str, tuple[int, int]] | None = None,
    machine: Machine | None = None,
    device: Device | None = None,
) -> Plan:
    """Plan the models and jobs of a spec.

    Args:
        spec: a resolved spec.
        model: leaves out all models but this one, and the jobs of others.
        tokens: mean of a text; as many as its tower takes if None.
        texts: of an epoch, for jobs whose length is given in epochs; by name of a job where they
            differ, as those of evaluations do.
        counted: images and texts by name of the evaluations that score each with each; as many as
            were published where there is none.
        machine: whose speed counts; None for no times.
        device: whose memory counts; the machine's, and without one a GPU's.

    Raises:
        CompileError: if a model cannot be built as declared, or there is none of this name, or no
            job of a name.
    """
    check_asked(spec, texts if isinstance(texts, Mapping) else (), model)
    planned = planned_models(spec, model)
    for name in planned:
        check_present(spec.models[name])
    kind: Device = device or (machine.device if machine else "cuda")
    conditions = Conditions(device=kind, machine=machine, tokens=tokens, texts=None)
    known: Known = {}
    models = tuple(plan_model(spec.models[name], kind, machine, tokens, known) for name in planned)
    found: dict[tuple[str, Conditions], JobPlan] = {}
    jobs = []
    for name, job in spec.jobs.items():
        training = spec.training_job(name)
        if model in (None, training.on):
            pairs = (counted or {}).get(name)
            here = replace(conditions, texts=_texts_of(name, job, texts), counted=pairs)
            key = same_costs(spec, name, length=True), here
            if key not in found:
                found[key] = plan_job(name, job, training, spec.model_of(name), here, known)
            mine = of_another(found[key], name, job, training, here)
            jobs.append(replace(mine, begins=_begins(spec, name, mine)))
    return Plan(models=models, jobs=tuple(jobs), device=kind, machine=machine)


def planned_models(spec: Spec, model: str | None = None) -> tuple[str, ...]:
    """Return the models that are planned: those of jobs, and all where there is no job.

    Args:
        spec: a resolved spec.
        model: the only one that is asked for.
    """
    used = {spec.training_job(name).on for name in spec.jobs} or set(spec.models)
    return tuple(name for name in spec.models if (name in used if model is None else name == model))


def check_present(model: Model) -> None:
    """Make sure that the published model that a model starts from is there; else CompileError."""
    if model.weights is not None and not Path(model.weights).is_dir():
        raise CompileError(
            f"`{model.weights}`, the `weights` of model `{model.name}`, is no folder that is there"
        )


def _texts_of(name: str, job: Job, texts: int | Mapping[str, int] | None) -> int | None:
    """Return the texts of a job; a number without a name is of those that learn."""
    if isinstance(texts, Mapping):
        return texts.get(name)
    return None if isinstance(job, Evaluate) else texts


def _begins(spec: Spec, name: str, plan: JobPlan) -> tuple[str, ...]:
    """Say what a job starts from."""
    return tuple(_starts(spec, spec.jobs[name], (*plan.model.streams, plan.model.fusion)))


def _starts(spec: Spec, job: Job, parts: tuple[str, ...]) -> Iterator[str]:
    """Say what the parts and each head of a job that starts from another one start from."""
    if isinstance(job, Evaluate) or job.source is None:
        return
    source = spec.training_job(job.source)
    yield f"{listing(parts)} start from the weights of job `{source.name}`"
    learned = {head.name: head for head in source.heads()}
    for head in job.heads():
        if head == learned.get(head.name):
            yield f"the head `{head.name}` starts from that of job `{source.name}`"
        elif head.inherits is not None and head.inherits[0] in learned:
            other, output = head.inherits
            yield (
                f"the head `{head.name}` starts from output {output} of the head `{other}` of job "
                f"`{source.name}`"
            )
        else:
            yield f"the head `{head.name}` starts from random weights"
