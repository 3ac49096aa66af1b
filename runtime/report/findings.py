"""What the jobs of a run found: a row for each job, and what each evaluation answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from renaissance.grammar.kinds.quantity import quantity
from renaissance.grammar.measured import quantity_of
from renaissance.grammar.schema.jobs import Evaluate, Job, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.records import JobResult, Prediction
from renaissance.runtime.report import figures
from renaissance.runtime.report.confusion import Confusion, confusion
from renaissance.runtime.report.folder import JobRun, RunFolder
from renaissance.runtime.report.images import data_uri

MOST_SAMPLES = 24
MOST_WRONG = 16
CLOSE = 0.02
"""How far above chance a metric of a pretraining is still called that: what few rows vary by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A row of the table of jobs; `state` stands in for figures of a job without a result.

    A metric is its name, its value and its interval, empty where there is none; `selected` says
    what selected the best checkpoint.
    """

    name: str
    kind: str
    split: str
    metrics: tuple[tuple[str, str, str], ...]
    selected: str
    blind: str
    steps: str
    time: str
    rate: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An answered question.

    Attributes:
        images: what each shows, and a data URI, which is empty if the image cannot be read.
        text: the question.
        answer: the true one.
        prediction: what was said.
        probability: of it, or how much was explained; empty where neither is known.
        correct: None where there is no right and wrong.
        choices: what else was said, how likely it is, and whether it is right.
    """

    images: tuple[tuple[str, str], ...]
    text: str
    answer: str
    prediction: str
    probability: str
    correct: bool | None
    choices: tuple[tuple[str, str, bool | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A metric beside what is reached without looking; `alike` where it says no more than that."""

    name: str
    value: str
    interval: str
    majority: str
    chance: str
    alike: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was measured on a split.

    Attributes:
        job: name of the job.
        split: part of the data.
        measure: name of the leading metric, or empty.
        value: the leading metric, spelled out.
        weights: of what they are, and what selected them; empty where that is not known.
        interval: the one of the leading metric, spelled out, or empty.
        rows: how many were measured; None where that is not known.
        figures: all metrics that have something beside them.
        majority: the most frequent answer to learn from, or empty.
        alike: names of the metrics that are not distinguishable from those of this answer.
        confusion: of answers, where the job stored it.
        samples: titles and questions, wrong ones first.
    """

    job: str
    split: str
    measure: str
    value: str
    weights: str
    interval: str
    rows: int | None
    figures: tuple[Figure, ...]
    majority: str
    alike: tuple[str, ...]
    confusion: Confusion | None
    samples: tuple[tuple[str, tuple[Sample, ...]], ...]


def job_row(run: JobRun, kind: str, spec: Spec | None, job: Job | None = None) -> JobRow:
    """Return a job's row.

    Figures of parts of a split, such as kinds of questions, stand with the answers.

    Args:
        run: of the job.
        kind: what the spec calls it.
        spec: of the run; None where it is not known.
        job: what trained its weights.
    """
    result = run.result
    if result is None:
        return JobRow(
            name=run.name,
            kind=kind,
            split="",
            metrics=(),
            selected="",
            blind="",
            steps="",
            time="",
            rate="",
            state=_state(run),
        )
    return JobRow(
        name=run.name,
        kind=result.kind,
        split=result.split or figures.DASH,
        metrics=tuple(
            (
                name.replace("_", " "),
                _spelled(spec, result, name, value),
                _interval(spec, result, name),
            )
            for name, value in result.metrics.items()
            if "." not in name
        ),
        selected=_selected(result),
        blind=_blind(result, job) or _alike(result),
        steps=figures.count(result.steps) if result.steps else figures.DASH,
        time=figures.duration(result.seconds),
        rate=figures.throughput(result.texts_per_second),
        state="",
    )


def evaluations(folder: RunFolder) -> tuple[Evaluation, ...]:
    """Return what every finished job with answers found, in order."""
    return tuple(
        _evaluation(run.result, folder, _weights(folder, run.name))
        for run in folder.jobs
        if run.result is not None
        and (run.result.kind == "evaluate" or run.result.confusion or run.result.samples)
    )


def _weights(folder: RunFolder, name: str) -> str:
    """Say which weights an evaluation measures."""
    job = None if folder.spec is None else folder.spec.jobs.get(name)
    if isinstance(job, Pretrain):
        return "Some items of its objectives, as the weights at its end answer them."
    if not isinstance(job, Evaluate):
        return ""
    trained = next((run.result for run in folder.jobs if run.name == job.of), None)
    if trained is None or trained.selected_by is None or trained.best_step is None:
        return ""
    measure = trained.selected_by.replace("_", " ")
    measured = next((run.result for run in folder.jobs if run.name == name), None)
    averaged = measured is not None and measured.weights == "average"
    which = "average of the weights" if averaged else "weights"
    return (
        f"The {which} of {job.of} after step {figures.count(trained.best_step)}, "
        f"selected by {measure} on {trained.split}."
    )


def _evaluation(result: JobResult, folder: RunFolder, weights: str) -> Evaluation:
    spec = folder.spec
    rates = [name for name in result.metrics if quantity_of(spec, result.job, name).share]
    # What a pretraining says at its end stands beside no question that was asked for.
    rates = [] if result.kind == "pretrain" else rates
    leading = next((name for name in rates if name == "accuracy"), rates[0] if rates else None)
    wrong = [sample for sample in result.samples if sample.correct is False][:MOST_WRONG]
    right = [sample for sample in result.samples if sample.correct][: MOST_SAMPLES - len(wrong)]
    hidden = [sample for sample in result.samples if sample.correct is None][:MOST_SAMPLES]
    return Evaluation(
        job=result.job,
        split=result.split or "unknown",
        measure=leading.replace("_", " ") if leading else "",
        value=_spelled(spec, result, leading, result.metrics[leading]) if leading else "",
        weights=weights,
        interval=_interval(spec, result, leading) if leading else "",
        rows=result.rows,
        figures=tuple(
            _figure(spec, result, name) for name in result.metrics if _compared(result, name)
        ),
        majority=result.majority_answer or "",
        alike=tuple(name.replace("_", " ") for name in result.like_majority),
        confusion=confusion(result),
        samples=tuple(
            (title, tuple(_sample(sample, folder.path) for sample in group))
            for title, group in (
                ("Answered wrongly", wrong),
                ("Answered rightly", right),
                ("What was hidden, and what was told of it", hidden),
            )
            if group
        ),
    )


def _selected(result: JobResult) -> str:
    """Say which checkpoint is the best one, and what says so; empty where nothing does."""
    if result.selected_by is None or result.best_step is None:
        return ""
    measure = result.selected_by.replace("_", " ")
    averaged = ", the average of the weights" if result.weights == "average" else ""
    return f"best by {measure} on {result.split}: step {figures.count(result.best_step)}{averaged}"


def _blind(result: JobResult, job: Job | None) -> str:
    """Say which metrics of a pretraining are no better than one answer to everything."""
    found = []
    for objective in job.objectives if isinstance(job, Pretrain) else ():
        chance, name = objective.blind(), objective.metric
        if chance is not None and result.metrics.get(name, 1.0) <= chance + CLOSE:
            found.append(
                f"{name.replace('_', ' ')} is at chance: the same answer to all items gives "
                f"{figures.metric(quantity(name, objective.quantities), chance)}"
            )
    return "; ".join(found)


def _alike(result: JobResult) -> str:
    """Say which metrics of the whole split are no better than one answer to everything."""
    names = [name.replace("_", " ") for name in result.like_majority if "." not in name]
    return f"not distinguishable from the majority answer: {', '.join(names)}" if names else ""


def _compared(result: JobResult, name: str) -> bool:
    return any(name in of for of in (result.intervals, result.majority, result.chance))


def _figure(spec: Spec | None, result: JobResult, name: str) -> Figure:
    def spelled(of: Mapping[str, float]) -> str:
        return _spelled(spec, result, name, of[name]) if name in of else figures.DASH

    return Figure(
        name=name.replace("_", " "),
        value=spelled(result.metrics),
        interval=_interval(spec, result, name) or figures.DASH,
        majority=spelled(result.majority),
        chance=spelled(result.chance),
        alike=name in result.like_majority,
    )


def _spelled(spec: Spec | None, result: JobResult, name: str, value: float) -> str:
    return figures.metric(quantity_of(spec, result.job, name), value)


def _interval(spec: Spec | None, result: JobResult, name: str) -> str:
    """Spell an interval; empty where there is none."""
    ends = result.intervals.get(name)
    return "" if ends is None else figures.interval(quantity_of(spec, result.job, name), ends)


def _sample(sample: Prediction, folder: Path) -> Sample:
    pictures = tuple((picture.label, picture.image) for picture in sample.pictures)
    # Paths that are not absolute start from where the run was started, or from its folder.
    read = data_uri(Path(sample.image)) or data_uri(folder / sample.image) or ""
    return Sample(
        images=pictures or (("", read),),
        text=sample.text,
        answer=sample.answer,
        prediction=sample.prediction,
        probability=_likely(sample.probability)
        if sample.explained is None
        else f"{figures.share(sample.explained)} explained",
        correct=sample.correct,
        choices=tuple(
            (choice.text, _likely(choice.probability), choice.right) for choice in sample.choices
        ),
    )


def _likely(probability: float | None) -> str:
    return "" if probability is None else figures.share(probability)


def _state(run: JobRun) -> str:
    log = run.log
    if not log.starts:
        return "not started"
    total = log.starts[-1].total_steps
    done = log.steps[-1].step if log.steps else log.starts[-1].step
    of = f" of {figures.count(total)}" if total else ""
    return f"not finished: {figures.count(done)}{of} steps are logged"
