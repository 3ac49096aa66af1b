"""What lies in the folder of a study, finished or not."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from renaissance.runtime.errors import DamageError, UsageError
from renaissance.runtime.identity import STUDY
from renaissance.runtime.records import JobKind, JobResult
from renaissance.runtime.results import read_result
from renaissance.runtime.sealed import unseal
from renaissance.runtime.studies.records import (
    CELLS,
    FAILURE,
    LARGEST,
    REPORT,
    STAGE,
    CellRecord,
    Costs,
    Failure,
    JobRecord,
    StageRecord,
    StudyRecord,
)

State = Literal["done", "failed", "waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResults:
    """A job of a cell, which is a stage that other cells may have as well.

    Attributes:
        name: as the study calls the job.
        kind: what is done.
        stage: identity of the stage; empty where its data could not be read.
        folder: of the job: `log.jsonl` (the learning curve), `result.json`, `predictions.parquet`;
            None without a stage.
        report: page about the cell and all its jobs; None where it was not written yet.
        state: `waiting` where it runs or has not begun.
        why: it failed, in a sentence.
        steps: of a training, where its budget or its spec says so.
        shared: names of the other cells that have this stage.
        result: None before the end.
        costs: of the whole stage; empty before it began.
        planned: what the whole stage should take; empty where that is not known.
        trainable: numbers that learn in the first step.
        device: what it ran on, in words.
    """

    name: str
    kind: JobKind
    stage: str
    folder: Path | None
    report: Path | None
    state: State
    why: str
    steps: int | None
    shared: tuple[str, ...]
    result: JobResult | None
    costs: Costs
    planned: Costs
    trainable: int | None
    device: str

    @property
    def metrics(self) -> Mapping[str, float]:
        """Losses and metrics by name: of an evaluation on its split, else on held-out data."""
        return {} if self.result is None else self.result.metrics

    @property
    def predictions(self) -> Path | None:
        """The file with a row for each row of the split."""
        if self.folder is None or self.result is None or self.result.predictions is None:
            return None
        return self.folder / self.result.predictions

    @property
    def curve(self) -> Path | None:
        """The log of the job, if there is one; it has the learning curve of a training."""
        path = None if self.folder is None else self.folder / "log.jsonl"
        return path if path is not None and path.exists() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResults:
    """A cell of a study.

    Attributes:
        levels: the level of each factor.
        seed: of all its training jobs.
        jobs: by name, each after the one that it starts from.
    """

    levels: Mapping[str, str]
    seed: int
    jobs: Mapping[str, JobResults]

    @property
    def variant(self) -> str:
        """What it is called without its seed: `freeze=vision`; `all` without factors."""
        return "/".join(f"{factor}={level}" for factor, level in self.levels.items()) or "all"

    @property
    def name(self) -> str:
        """What it is called: `freeze=vision/seed=0`."""
        return f"{self.variant}/seed={self.seed}"

    @property
    def state(self) -> State:
        """`done` where all jobs are; `failed` where one has."""
        states = {job.state for job in self.jobs.values()}
        return "failed" if "failed" in states else "waiting" if "waiting" in states else "done"

    @property
    def why(self) -> str:
        """Why it failed: what the first job that failed says."""
        for job in self.jobs.values():
            if job.state == "failed":
                return f"{job.name}: {job.why}"
        return ""

    @property
    def evaluations(self) -> Mapping[str, JobResults]:
        """What was measured, by name of the evaluation."""
        return {name: job for name, job in self.jobs.items() if job.kind == "evaluate"}

    @property
    def metrics(self) -> Mapping[str, Mapping[str, float]]:
        """Metrics by name of the evaluation; only of those that are done."""
        return {name: job.metrics for name, job in self.evaluations.items() if job.metrics}

    @property
    def costs(self) -> Costs:
        """Of all its jobs, as if none of them were shared."""
        return together(job.costs for job in self.jobs.values())

    @property
    def training_costs(self) -> Costs:
        """Of its pretrainings and fine-tunings, as if none of them were shared."""
        return together(job.costs for job in self.jobs.values() if job.kind != "evaluate")

    @property
    def planned_costs(self) -> Costs:
        """What these should take; nothing of what is not known of one of them."""
        planned = [job.planned for job in self.jobs.values() if job.kind != "evaluate"]
        return together(planned) if Costs() not in planned else Costs()


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResults:
    """A study.

    Attributes:
        name: of the study.
        folder: of the study.
        factors: names of levels by factor.
        changes: addresses that the levels of a factor state.
        baseline: levels of the variant that the others are compared with.
        seeds: of which each variant has a cell.
        budget: what all variants spend alike; None where each trains as its jobs say.
        report: metrics that are compared; empty for all.
        cells: in the order in which they are run: all variants with the first seed, and so on.
    """

    name: str
    folder: Path
    factors: Mapping[str, tuple[str, ...]]
    changes: Mapping[str, tuple[str, ...]]
    baseline: Mapping[str, str]
    seeds: tuple[int, ...]
    budget: str | None
    report: tuple[str, ...]
    cells: tuple[CellResults, ...]

    @property
    def variants(self) -> tuple[Mapping[str, str], ...]:
        """The levels of each variant, in the order of the grid."""
        found = {tuple(cell.levels.items()): cell.levels for cell in self.cells}
        return tuple(found.values())

    def of_variant(self, levels: Mapping[str, str]) -> tuple[CellResults, ...]:
        """Return the cells of a variant, by seed."""
        return tuple(cell for cell in self.cells if dict(cell.levels) == dict(levels))

    @property
    def stages(self) -> Mapping[str, JobResults]:
        """Each stage once, by its identity, as the first cell that has it sees it."""
        found: dict[str, JobResults] = {}
        for cell in self.cells:
            for job in cell.jobs.values():
                if job.stage:
                    found.setdefault(job.stage, job)
        return found

    @property
    def costs(self) -> Costs:
        """Of all stages, each counted once."""
        return together(stage.costs for stage in self.stages.values())


def together(costs: Iterable[Costs]) -> Costs:
    """Return what several things took; None where one of them that took time was not counted.

    The peak of memory is the largest of them.
    """
    taken = [each for each in costs if each != Costs()]
    found = {}
    for name in Costs.model_fields:
        values = [getattr(each, name) for each in taken]
        if values and None not in values:
            found[name] = max(values) if name in LARGEST else sum(values)
    return Costs(**found)


def is_study(folder: Path) -> bool:
    """Tell whether a folder is that of a study."""
    return (folder / STUDY).exists()


def read_results(folder: Path) -> StudyResults:
    """Read what lies in the folder of a study.

    Raises:
        UsageError: if it is no folder of a study.
        DamageError: if `study.json` is damaged.
    """
    study = read_study(folder)
    if study is None:
        raise UsageError(f"`{folder}` is no folder of a study: it has no `{STUDY}`")
    stages = (folder / study.stages).resolve()
    users: dict[str, list[str]] = {}
    for cell in study.cells:
        for job in cell.jobs.values():
            users.setdefault(job.stage, []).append(_name(cell))
    seen: dict[str, JobResults] = {}
    return StudyResults(
        name=study.study,
        folder=folder,
        factors=study.factors,
        changes=study.changes,
        baseline=study.baseline,
        seeds=study.seeds,
        budget=study.budget,
        report=study.report,
        cells=tuple(_cell(cell, folder, stages, users, seen) for cell in study.cells),
    )


def _cell(
    cell: CellRecord,
    folder: Path,
    stages: Path,
    users: Mapping[str, list[str]],
    seen: dict[str, JobResults],
) -> CellResults:
    jobs: dict[str, JobResults] = {}
    page = folder / CELLS / _name(cell) / REPORT
    for name, job in cell.jobs.items():
        others = tuple(dict.fromkeys(user for user in users[job.stage] if user != _name(cell)))
        if job.stage not in seen:
            seen[job.stage] = _job(name, job, stages)
        found = {field.name: getattr(seen[job.stage], field.name) for field in fields(JobResults)}
        if not job.stage:
            found |= {"state": "failed", "why": job.problem}
        elif job.source in jobs and jobs[job.source].state == "failed":
            found |= {"state": "failed", "why": f"`{job.source}`, which it starts from, failed"}
        found |= {"name": name, "kind": job.kind, "steps": job.steps}
        found |= {
            "shared": others if job.stage else (),
            "report": page if page.exists() else None,
        }
        jobs[name] = JobResults(**found)
    return CellResults(levels=cell.levels, seed=cell.seed, jobs=jobs)


def _name(cell: CellRecord) -> str:
    return CellResults(levels=cell.levels, seed=cell.seed, jobs={}).name


def _job(name: str, job: JobRecord, stages: Path) -> JobResults:
    home = stages / job.stage
    record = read_stage(home) if job.stage else None
    folder = None if record is None else home / record.job
    result: JobResult | None = None
    if folder is not None:
        with suppress(DamageError):  # it is made again when the study goes on
            result = read_result(folder)
    failure = None if result is not None or not job.stage else read_failure(home)
    return JobResults(
        name=name,
        kind=job.kind,
        stage=job.stage,
        folder=folder,
        report=None,
        state="done" if result is not None else "waiting" if failure is None else "failed",
        why="" if failure is None else failure.why,
        steps=job.steps,
        shared=(),
        result=result,
        costs=Costs() if record is None else record.costs,
        planned=Costs() if record is None else record.planned,
        trainable=None if record is None else record.trainable,
        device="" if record is None else record.device,
    )


def read_study(folder: Path) -> StudyRecord | None:
    """Return what a folder says of the study that is kept in it; None where it says nothing.

    Raises:
        DamageError: if `study.json` is damaged.
    """
    with suppress(FileNotFoundError):
        return unseal(folder / STUDY, StudyRecord, "record of a study")
    return None


def is_done(home: Path) -> bool:
    """Tell whether a stage has a result; a damaged one is made again."""
    record = read_stage(home)
    with suppress(DamageError):
        return record is not None and read_result(home / record.job) is not None
    return False


def read_stage(home: Path) -> StageRecord | None:
    """Return what a stage says of itself; None if it has not begun, or the file is damaged."""
    try:
        return unseal(home / STAGE, StageRecord, "record of a stage")
    except (FileNotFoundError, DamageError):
        return None


def read_failure(home: Path) -> Failure | None:
    """Return why a stage failed; None if it did not, or the file is damaged."""
    try:
        return unseal(home / FAILURE, Failure, "record of a failure")
    except (FileNotFoundError, DamageError):
        return None
