"""What a study takes before anything of it runs: its stages, equal ones once."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.study import Study
from renaissance.runtime.studies.budget import length, within_budget
from renaissance.runtime.studies.data import Data, DataUnknownError
from renaissance.runtime.studies.keeping import KeptPlan, kept_for_others
from renaissance.runtime.studies.operations import Paces, Planned
from renaissance.runtime.studies.stages import Stage, stages_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """What a stage takes.

    Attributes:
        job: its name in the first cell that has it.
        kind: what is done.
        cells: names of the cells that have it.
        steps: of a training; None where an epoch cannot be counted, and of an evaluation.
        operations: floating-point operations; None where its length is not known.
        memory: bytes of its largest step.
        seconds: predicted; None without a machine or a length.
        price: of these, where one is given.
    """

    job: str
    kind: str
    cells: tuple[str, ...]
    steps: int | None
    operations: float | None
    memory: int
    seconds: float | None
    price: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """What a study takes.

    Attributes:
        study: with the steps of its budget.
        stages: each once, in the order in which they are run.
        unshared: stages there would be if every cell ran all of its own.
        machine: in words; None where none is named.
        price: of an hour of it; None where none is given.
        kept: features of frozen towers that several stages read. The operations of stages are those
            of computing them each time.
        unknown: what could not be read of the data, a sentence each.
    """

    study: Study
    stages: tuple[StagePlan, ...]
    unshared: int
    machine: str | None
    price: float | None
    kept: tuple[KeptPlan, ...]
    unknown: tuple[str, ...]

    def total(self, what: str) -> float | None:
        """Return the sum of operations, seconds or price; None where one is not known."""
        found = [getattr(stage, what) for stage in self.stages]
        return None if None in found else sum(found)

    @property
    def saved(self) -> float:
        """Operations that kept features save, which are computed once for all stages."""
        return sum(kept.each_time - kept.once for kept in self.kept)

    @property
    def memory(self) -> int:
        """Bytes of the largest step of all."""
        return max(stage.memory for stage in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "study": self.study.name,
            "budget": self.study.budget,
            "cells": [
                {"name": cell.name, "difference": self.study.difference(cell).to_dict()}
                for cell in self.study.cells
            ],
            "stages": [asdict(stage) for stage in self.stages],
            "unshared": self.unshared,
            "kept_features": [asdict(kept) for kept in self.kept],
            "saved_by_kept_features": self.saved,
            "machine": self.machine,
            "hour": self.price,
            "unknown": list(self.unknown),
            "memory": self.memory,
            **{what: self.total(what) for what in ("operations", "seconds", "price")},
        }


def plan_study(study: Study, planned: Planned, data: Data, price: float | None = None) -> StudyPlan:
    """Plan a study.

    Args:
        study: as declared.
        planned: plans its jobs.
        data: counts epochs and rows, where data are there.
        price: of an hour of the machine.

    Raises:
        UsageError: if its budget is time and no machine is named.
        DataUnknownError: if its budget needs an epoch counted and the data cannot be read.
        CompileError: if a model cannot be built.
    """
    study = within_budget(study, planned, data)
    stages = stages_of(study.cells)
    unknown: dict[str, None] = {}
    found = tuple(plan_stages(stages.distinct.values(), planned, data, unknown, price))
    steps = [stage.steps for stage in found]
    return StudyPlan(
        study=study,
        stages=found,
        unshared=sum(len(ids) for ids in stages.of_cells.values()),
        machine=planned.machine_name,
        price=price,
        kept=kept_for_others(zip(stages.distinct.values(), steps, strict=True), planned, data),
        unknown=tuple(unknown),
    )


def plan_stages(
    stages: Iterable[Stage],
    planned: Planned,
    data: Data,
    unknown: dict[str, None],
    price: float | None = None,
) -> Iterator[StagePlan]:
    """Yield what each stage takes.

    Args:
        stages: each once.
        planned: plans their jobs.
        data: counts epochs and rows, where data are there.
        unknown: gets what could not be read of the data, a sentence each.
        price: of an hour of the machine.

    Raises:
        CompileError: if a model cannot be built.
    """
    for stage in stages:
        paces = planned.paces(stage.spec, stage.job)
        try:
            steps, operations, seconds = _amounts(stage, paces, data)
        except DataUnknownError as problem:
            unknown[str(problem)] = None
            steps = operations = seconds = None
        yield StagePlan(
            job=stage.job,
            kind=stage.kind,
            cells=stage.users,
            steps=steps,
            operations=operations,
            memory=max(part.memory.peak for part in paces.plan.stages),
            seconds=seconds,
            price=None if price is None or seconds is None else price * seconds / 3600,
        )


def _amounts(
    stage: Stage, paces: Paces, data: Data
) -> tuple[int | None, float | None, float | None]:
    """Return steps, operations and seconds of a stage."""
    job, plan = stage.spec.jobs[stage.job], paces.plan
    if not isinstance(job, Evaluate):
        steps = length(stage.spec, stage.job, data)
        return steps, paces.operations(steps), paces.seconds(steps)
    rows = data.texts(stage.spec, stage.job)
    batch = paces.of[0].seconds
    seconds = None if batch is None else -(-rows // plan.batch) * batch
    if plan.search is not None:
        search = plan.search
        return None, float(search.encoding + search.joining + search.products), plan.run.seconds
    return None, paces.of[0].operations * rows, seconds
