"""Finished or unfinished runs side by side, as if a study had run them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from renaissance.grammar.names import listing
from renaissance.grammar.schema.jobs import Evaluate
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.errors import UsageError
from renaissance.runtime.records import JobKind, JobResult
from renaissance.runtime.report.folder import JobRun, RunFolder, read_folder
from renaissance.runtime.studies.records import Costs
from renaissance.runtime.studies.results import CellResults, JobResults, StudyResults

NAME = "comparison"
FACTOR = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Runs as the cells of a study.

    Attributes:
        results: each run is a variant; runs of one spec with other seeds are seeds of one.
        specs: by variant, of its first run.
    """

    results: StudyResults
    specs: Mapping[str, Spec]


def compare_runs(folders: Sequence[Path]) -> Compared:
    """Read runs; the first of them is what the others are compared with.

    Raises:
        UsageError: if a folder is no run, or the same one is named twice.
    """
    runs = [_read(folder) for folder in folders]
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise UsageError("one run is named twice")
    names = _names(folders)
    groups: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        groups.setdefault(_identity(run, names[place], groups, runs), []).append(place)
    numbered = _seeds([[runs[place] for place in places] for places in groups.values()])
    cells, specs = [], {}
    for places, seeds in zip(groups.values(), numbered, strict=True):
        levels = {FACTOR: names[places[0]]}
        for place, seed in zip(places, seeds, strict=True):
            jobs = {job.name: _job(runs[place], job) for job in runs[place].jobs}
            cells.append(CellResults(levels=levels, seed=seed, jobs=jobs))
        first = runs[places[0]].spec
        if first is not None:
            specs[f"{FACTOR}={names[places[0]]}"] = first
    variants = tuple(dict.fromkeys(cell.levels[FACTOR] for cell in cells))
    return Compared(
        results=StudyResults(
            name=NAME,
            folder=Path(),
            factors={FACTOR: variants},
            changes={},
            baseline={FACTOR: variants[0]},
            seeds=tuple(dict.fromkeys(cell.seed for cell in cells)),
            budget=None,
            report=(),
            cells=tuple(cells),
        ),
        specs=specs,
    )


def _read(folder: Path) -> RunFolder:
    if not folder.is_dir():
        raise UsageError(f"there is no run folder `{folder}`")
    run = read_folder(folder)
    if run.spec is None and not run.jobs:
        raise UsageError(f"`{folder}` is no run folder: it has no `spec.json`")
    return run


def _names(folders: Sequence[Path]) -> list[str]:
    """Return the names of folders, or their paths where two have one name."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _identity(
    run: RunFolder, name: str, groups: Mapping[str, Sequence[int]], runs: Sequence[RunFolder]
) -> str:
    """Return what runs of one spec share that differ in their seeds; else what is only this run's.

    A second run with the same seed is no other seed: it is a variant of its own.
    """
    if run.spec is None:
        return f"run {name}"
    jobs = {
        job: declared if isinstance(declared, Evaluate) else declared.model_copy(update={"seed": 0})
        for job, declared in run.spec.jobs.items()
    }
    identity = run.spec.model_copy(update={"jobs": jobs}).hash
    there = [_seed(runs[place]) for place in groups.get(identity, ())]
    return f"run {name}" if _seed(run) in there else identity


def _seed(run: RunFolder) -> int:
    """Return the seed of the first job that learns; 0 where there is none."""
    jobs = () if run.spec is None else run.spec.jobs.values()
    return next((job.seed for job in jobs if not isinstance(job, Evaluate)), 0)


def _seeds(groups: Sequence[Sequence[RunFolder]]) -> list[list[int]]:
    """Return the seeds of the runs of each group; their numbers where no seed is everywhere."""
    seeds = [[_seed(run) for run in group] for group in groups]
    if set.intersection(*map(set, seeds)):
        return seeds
    return [list(range(len(group))) for group in groups]


def _job(run: RunFolder, job: JobRun) -> JobResults:
    result, log = job.result, job.log
    start = log.starts[-1] if log.starts else None
    page = run.path / "report.html"
    counts = None if start is None else start.parameters
    return JobResults(
        name=job.name,
        kind=_kind(run, job.name, result),
        stage=str(run.path / job.name),
        folder=run.path / job.name,
        report=page if page.exists() else None,
        state="waiting" if result is None else "done",
        why="",
        steps=None if start is None else start.total_steps,
        shared=(),
        result=result,
        costs=Costs(seconds=None if result is None else result.seconds),
        planned=Costs(),
        trainable=None if counts is None else counts.trainable,
        device="" if start is None else start.device,
    )


def _kind(run: RunFolder, name: str, result: JobResult | None) -> JobKind:
    if run.spec is not None and name in run.spec.jobs:
        return run.spec.jobs[name].job
    return "evaluate" if result is None else result.kind


def no_common_evaluation(compared: Compared) -> str:
    """Return a sentence where no two runs have an evaluation in common; empty where some do."""
    found: dict[str, int] = {}
    for cell in compared.results.cells:
        for name in cell.evaluations:
            found[name] = found.get(name, 0) + 1
    if any(count > 1 for count in found.values()) or len(compared.results.variants) < 2:
        return ""
    there = f": there is {listing(found)}" if found else ""
    return f"no two runs have an evaluation of one name{there}"
