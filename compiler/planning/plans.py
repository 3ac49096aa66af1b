"""Everything about a spec's models and jobs that is worth knowing before time is spent on them."""

from renaissance.compiler.errors import CompileError
from renaissance.compiler.planning.figures import Plan
from renaissance.compiler.planning.job_costs import plan_job
from renaissance.compiler.planning.machines import Device, Machine
from renaissance.compiler.planning.models import plan_model
from renaissance.compiler.planning.stages import Conditions
from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Finetune, Job, Pretrain
from renaissance.grammar.schema.spec import Spec


def plan(
    spec: Spec,
    model: str | None = None,
    *,
    tokens: int | None = None,
    texts: int | None = None,
    machine: Machine | None = None,
    device: Device | None = None,
) -> Plan:
    """Plan the models and jobs of a spec.

    Args:
        spec: a resolved spec.
        model: leaves out all models but this one, and the jobs of others.
        tokens: mean of a text; as many as its tower takes if None.
        texts: of an epoch, for jobs whose length is given in epochs.
        machine: whose speed counts; None for no times.
        device: whose memory counts; the machine's, and without one a GPU's.

    Raises:
        CompileError: if a model cannot be built as declared, or there is none of this name.
    """
    if model is not None and model not in spec.models:
        raise CompileError(f"there is no model `{model}`; models are {listing(spec.models)}")
    kind: Device = device or (machine.device if machine else "cuda")
    conditions = Conditions(device=kind, machine=machine, tokens=tokens, texts=texts)
    models = tuple(
        plan_model(declared, kind, machine, tokens)
        for name, declared in spec.models.items()
        if model in (None, name)
    )
    jobs = tuple(
        plan_job(
            name,
            job,
            spec.training_job(name),
            spec.model_of(name),
            conditions,
            _source(spec, job),
        )
        for name, job in spec.jobs.items()
        if model in (None, spec.training_job(name).on)
    )
    return Plan(models=models, jobs=jobs, device=kind, machine=machine)


def _source(spec: Spec, job: Job) -> Pretrain | Finetune | None:
    if isinstance(job, Finetune) and job.source is not None:
        return spec.training_job(job.source)
    return None
