"""How many operations a job takes, and how long on a machine, whatever its length."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from renaissance.compiler.planning.job_costs import plan_job
from renaissance.compiler.planning.job_plan import JobPlan, Stage
from renaissance.compiler.planning.machines import Machine
from renaissance.compiler.planning.same_costs import same_costs
from renaissance.compiler.planning.stages import Conditions
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.jobs import Evaluate, Job
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.studies.data import Data

_Key = tuple[str, tuple[int, int] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What a step costs from some step on.

    Attributes:
        start: the first step, or the share of the run before it.
        operations: floating-point operations of a step, of all its passes; of an evaluation, those
            of a row.
        seconds: of a step, predicted; None without a machine.
    """

    start: int | Share
    operations: float
    seconds: float | None

    def begins(self, total: int) -> int:
        """Return the first step in a run of a length."""
        return round(self.start * total) if isinstance(self.start, Share) else self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Paces:
    """What the steps of a job cost.

    Attributes:
        of: in the order in which they begin; more than one where something learns later.
        plan: that says so.
    """

    of: tuple[Pace, ...]
    plan: JobPlan

    def operations(self, total: int, first: int = 0, last: int | None = None) -> float:
        """Return the operations of steps of a run.

        Args:
            total: steps of the whole run.
            first: step that counts, from 0.
            last: step before which to end; the end of the run if None.
        """
        steps = self._steps(total, first, total if last is None else last)
        return sum(pace.operations * count for pace, count in steps)

    def seconds(self, total: int) -> float | None:
        """Return the predicted time of a run; None without a machine."""
        found = 0.0
        for pace, count in self._steps(total, 0, total):
            if pace.seconds is None:
                return None
            found += pace.seconds * count
        return found

    def _steps(self, total: int, first: int, last: int) -> list[tuple[Pace, int]]:
        """Return how many of some steps go at which pace."""
        begins = [min(pace.begins(total), total) for pace in self.of]
        ends = [*begins[1:], max(total, last)]
        return [
            (pace, max(min(end, last) - max(begin, first), 0))
            for pace, begin, end in zip(self.of, begins, ends, strict=True)
        ]


class Planned:
    """Plans jobs; of jobs that cost the same, one.

    Args:
        machine: whose speed counts; None for no times.
        tokens: mean of a text; as many as its tower takes if None.
        data: counts images and texts of evaluations that score each with each; None for as many as
            were published.
    """

    def __init__(
        self,
        machine: Machine | None = None,
        tokens: int | None = None,
        data: Data | None = None,
    ) -> None:
        """Plan nothing yet."""
        self._data = data
        device = "cuda" if machine is None else machine.device
        self._conditions = Conditions(device=device, machine=machine, tokens=tokens, texts=None)
        self._found: dict[_Key, Paces] = {}

    @property
    def has_machine(self) -> bool:
        """Whether times are predicted."""
        return self._conditions.machine is not None

    @property
    def devices(self) -> tuple[str, ...]:
        """What it may run on; that of the machine where one is named."""
        machine = self._conditions.machine
        return ("cpu", "cuda") if machine is None else (machine.device,)

    @property
    def machine_name(self) -> str | None:
        """What times are predicted for, in words."""
        machine = self._conditions.machine
        return None if machine is None else machine.name

    def paces(self, spec: Spec, name: str) -> Paces:
        """Return what the steps of a job cost.

        Raises:
            CompileError: if its model cannot be built.
        """
        counted, key = self._counted(spec, name)
        if key not in self._found:
            job, training = spec.jobs[name], spec.training_job(name)
            here = replace(self._conditions, counted=counted)
            plan = plan_job(name, job, training, spec.model_of(name), here)
            self._found[key] = _paces(plan, job)
        return self._found[key]

    def know(self, spec: Spec, plans: Iterable[JobPlan]) -> None:
        """Take plans of jobs of a spec that were made under the same conditions."""
        for plan in plans:
            _, key = self._counted(spec, plan.name)
            self._found.setdefault(key, _paces(plan, spec.jobs[plan.name]))

    def _counted(self, spec: Spec, name: str) -> tuple[tuple[int, int] | None, _Key]:
        """Return the images and texts that a job scores, and what is the same for equal costs."""
        counted = None if self._data is None else self._data.pairs(spec, name)
        return counted, (same_costs(spec, name, length=False), counted)


def _paces(plan: JobPlan, job: Job) -> Paces:
    rows = isinstance(job, Evaluate)
    return Paces(of=tuple(_pace(stage, plan, rows=rows) for stage in plan.stages), plan=plan)


def _pace(stage: Stage, plan: JobPlan, *, rows: bool) -> Pace:
    written = stage.start
    is_share = isinstance(written, str)
    start = Share.of_percent(float(str(written).rstrip("%"))) if is_share else int(written)
    operations = stage.flops_per_sample.training * (1 if rows else plan.batch)
    seconds = None if stage.speed is None else stage.speed.step
    return Pace(start=start, operations=operations, seconds=seconds)
