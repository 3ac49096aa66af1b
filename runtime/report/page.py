"""The report of a run folder as one HTML file that needs nothing else."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from renaissance.grammar.names import plural
from renaissance.grammar.schema.jobs import Evaluate, Job
from renaissance.grammar.writing import write_whole
from renaissance.runtime.identity import hashes_in
from renaissance.runtime.report import figures
from renaissance.runtime.report.curves import Panel, panels
from renaissance.runtime.report.findings import evaluations, job_row
from renaissance.runtime.report.folder import RunFolder, read_folder
from renaissance.runtime.report.frame import HERE, framed
from renaissance.runtime.report.highlight import highlight
from renaissance.runtime.report.models import ModelFigure, model_figures, plan_of
from renaissance.runtime.report.planned import Beside, beside, columns, machine_of


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCurves:
    """The charts of a training job; none if it has logged nothing."""

    name: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Images that a job skipped: a sentence, and the paths that are known."""

    summary: str
    paths: tuple[str, ...]


def write_report(folder: Path, target: Path | None = None) -> Path:
    """Write the page about a run and return its path.

    Whatever the folder lacks is named in the report; an earlier report is replaced as a whole.

    Args:
        folder: of the run, finished or not.
        target: the file; `report.html` in the folder if None.

    Raises:
        NotADirectoryError: if there is no such folder.
        OSError: if the file cannot be written.
    """
    run = read_folder(folder)
    models, steps, missing = _planned(run)
    page = render(run, models, missing, steps)
    target = folder / "report.html" if target is None else target
    write_whole(target, page, shared=True)  # a report may be asked for while one is written
    return target


def render(
    run: RunFolder,
    models: tuple[ModelFigure, ...],
    no_models: str,
    steps: tuple[Beside, ...] = (),
) -> str:
    """Return the page.

    Args:
        run: what the folder holds.
        models: drawings of its models.
        no_models: what stands in their place if there are none.
        steps: what was planned for steps beside what was measured.
    """
    jobs = {} if run.spec is None else run.spec.jobs
    found = evaluations(run)
    trained = [
        run_of
        for run_of in run.jobs
        if run_of.log.steps or getattr(jobs.get(run_of.name), "job", "evaluate") != "evaluate"
    ]
    name = run.path.resolve().name
    return framed(
        HERE,
        kind="report",
        title=name,
        folder=name,
        sections=("Jobs", "Architecture", "Curves", "Answers", "Spec"),
        headlines=[evaluation for evaluation in found if evaluation.value],
        summary=_summary(run, models),
        problems=[*run.problems, *(text for job in run.jobs for text in job.problems)],
        rows=[
            job_row(job, getattr(jobs.get(job.name), "job", ""), run.spec, _trained(jobs, job.name))
            for job in run.jobs
        ],
        notices=[(job.name, text) for job in run.jobs for text in job.log.notices],
        skipped=_skipped(run),
        models=models,
        no_models=no_models,
        steps=steps,
        columns=columns(steps),
        curves=[JobCurves(name=job.name, panels=panels(job, run.spec)) for job in trained],
        evaluations=found,
        environment=_environment(run),
        spec=_spec(run),
    )


def _trained(jobs: Mapping[str, Job], name: str) -> Job | None:
    """Return the job that trained what a job measures: that of an evaluation, or itself."""
    job = jobs.get(name)
    return jobs.get(job.of) if isinstance(job, Evaluate) else job


def _planned(run: RunFolder) -> tuple[tuple[ModelFigure, ...], tuple[Beside, ...], str]:
    """Draw the models of the spec, and compare its plan; or say why that is not possible."""
    if run.spec is None:
        return (), (), "Without the resolved spec there is nothing to draw."
    try:
        machine = machine_of(run)
        plan = plan_of(run.spec, machine)
        return model_figures(plan), beside(run, plan, machine), "The spec declares no model."
    # The report comes after hours of training: what a drawing fails on must not cost all the rest.
    except Exception as error:
        return (), (), f"The architecture could not be drawn: {error}"


def _summary(run: RunFolder, models: tuple[ModelFigure, ...]) -> str:
    sentences = []
    finished = [job.result for job in run.jobs if job.result is not None]
    if finished:
        jobs = plural(len(finished), "job")
        time = figures.duration(sum(result.seconds or 0.0 for result in finished))
        devices = _distinct(start.device for job in run.jobs for start in job.log.starts)
        place = f" on {' and '.join(devices)}" if devices else ""
        sentences.append(f"{jobs} took {time}{place}.")
    unfinished = len(run.jobs) - len(finished)
    if unfinished:
        verb = "has" if unfinished == 1 else "have"
        sentences.append(f"{plural(unfinished, 'job')} {verb} not finished.")
    drawn = Counter(model.name for model in models)
    for model in models:
        frozen = f"{figures.share(model.frozen)} of them frozen" if model.frozen else "none frozen"
        size = figures.magnitude(model.parameters)
        of = f" of {' and '.join(job.name for job in model.jobs)}" if drawn[model.name] > 1 else ""
        if model.unread:
            frozen += f", {figures.share(model.unread)} of them read by no head"
        sentences.append(f"The model {model.name}{of} has {size} parameters, {frozen}.")
    return " ".join(sentences)


def _skipped(run: RunFolder) -> list[Skipped]:
    accounts = [(job.name, job.log.unreadable) for job in run.jobs]
    return [
        Skipped(
            summary=f"{name} skipped {plural(account.count, 'image')}"
            + (f" of {figures.count(account.images)}" if account.images else "")
            + ", missing or damaged",
            paths=account.paths,
        )
        for name, account in accounts
        if account is not None and account.count
    ]


def _environment(run: RunFolder) -> list[tuple[str, str]]:
    """Return what the jobs ran with; where jobs differ, every value is listed."""
    starts = [start for job in run.jobs for start in job.log.starts]
    rows = []
    if run.spec is not None:
        rows.append(("Spec hash", run.spec.hash))
        hashes = hashes_in(run.path, run.spec)
        others = _distinct(start.spec_hash for start in starts if start.spec_hash not in hashes)
        if others:
            rows.append(("Hash in the logs", ", ".join(others)))
        seeds = {
            name: job.seed for name, job in run.spec.jobs.items() if not isinstance(job, Evaluate)
        }
        if seeds:
            same = len(set(seeds.values())) == 1
            each = [f"{name}: {seed}" for name, seed in seeds.items()]
            rows.append(("Seed", str(next(iter(seeds.values()))) if same else ", ".join(each)))
    devices = _distinct(start.device for start in starts)
    if devices:
        rows.append(("Device", ", ".join(devices)))
    packages = _distinct(package for start in starts for package in start.versions)
    rows.extend(
        (package, ", ".join(_distinct(start.versions.get(package, "") for start in starts)))
        for package in packages
    )
    return rows


def _spec(run: RunFolder) -> Markup | None:
    """Return the spec in the language, or as JSON where its text is missing."""
    if run.spec_text is not None:
        return highlight(run.spec_text)
    if run.spec is not None:
        return highlight(json.dumps(run.spec.model_dump(mode="json"), indent=2))
    return None


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))
