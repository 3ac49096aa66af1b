"""Budgets: as many steps for each variant as cost what the baseline costs."""

from collections.abc import Callable

from renaissance.compiler.planning.stages import steps_of_job
from renaissance.grammar.kinds.optimizer import MOST_STEPS
from renaissance.grammar.record import replace
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.study import Cell, Study
from renaissance.runtime.errors import UsageError
from renaissance.runtime.studies.data import Data
from renaissance.runtime.studies.operations import Paces, Planned


def within_budget(study: Study, planned: Planned, data: Data) -> Study:
    """Return a study whose jobs have the steps that its budget gives them.

    A job that costs what the baseline's costs stays as it is.

    Args:
        study: as declared.
        planned: says what steps cost.
        data: says how many texts an epoch has.

    Raises:
        UsageError: if times are asked for and no machine is named.
        DataUnknownError: if an epoch has to be counted and the data cannot be read.
        CompileError: if a model cannot be built.
    """
    if study.budget is None:
        return study
    if study.budget == "time" and not planned.has_machine:
        raise UsageError(
            f"the budget of study `{study.name}` is time: on what? add --gpu NAME or --bench FILE"
        )
    cells = tuple(_fitted(study, cell, planned, data) for cell in study.cells)
    return replace(study, cells=cells)


def _fitted(study: Study, cell: Cell, planned: Planned, data: Data) -> Cell:
    """Return a cell with as many steps of each job as the same job of the baseline pays for.

    A job that the baseline does not have takes its own.
    """
    base = study.cell(study.baseline, cell.seed).spec
    jobs = dict(cell.spec.jobs)
    for name, job in cell.spec.jobs.items():
        if isinstance(job, Evaluate) or name not in base.jobs:
            continue
        total = length(base, name, data)
        mine, theirs = planned.paces(cell.spec, name), planned.paces(base, name)
        steps = total if study.budget == "steps" else _steps(study, mine, theirs, total)
        if steps != length(cell.spec, name, data):
            jobs[name] = job.model_copy(update={"steps": steps, "epochs": None})
    if jobs == cell.spec.jobs:
        return cell
    return replace(cell, spec=cell.spec.model_copy(update={"jobs": jobs}))


def _steps(study: Study, mine: Paces, theirs: Paces, total: int) -> int:
    if mine.of == theirs.of:
        return total
    if study.budget == "flops":
        return closest(lambda steps: mine.operations(steps), theirs.operations(total))
    return closest(lambda steps: mine.seconds(steps) or 0.0, theirs.seconds(total) or 0.0)


def closest(cost: Callable[[int], float], wanted: float) -> int:
    """Return the number of steps whose cost is closest to what is wanted, at least 1.

    Args:
        cost: of a number of steps; more steps cost no less.
        wanted: the cost.
    """
    least, most = 1, MOST_STEPS
    while least < most:
        middle = (least + most) // 2
        if cost(middle) < wanted:
            least = middle + 1
        else:
            most = middle
    below = max(least - 1, 1)
    return below if wanted - cost(below) <= cost(least) - wanted else least


def length(spec: Spec, name: str, data: Data) -> int:
    """Return the steps of a training job.

    Raises:
        DataUnknownError: if an epoch has to be counted and the data cannot be read.
    """
    job = spec.jobs[name]
    assert isinstance(job, Pretrain | Finetune)
    texts = None if job.steps is not None else data.texts(spec, name)
    steps = steps_of_job(job, texts)
    assert steps is not None  # a job says steps or epochs
    return steps
