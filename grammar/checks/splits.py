"""Is a model measured on data that it has not seen?"""

from collections.abc import Mapping

from renaissance.grammar.composition.findings import Findings, listing, suggestion
from renaissance.grammar.composition.jobs import chain_of
from renaissance.grammar.composition.places import Places
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.schema.data import EasyVqa, EasyVqaPairs, Nlvr, NlvrPairs, Pairs
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.source import Span

VALIDATION = "validation"
"""Name of the part of the training data that is held out, where a share is held out."""


def check_task(job: Finetune, places: Places, findings: Findings) -> None:
    """Report a split that trains and selects at once."""
    task = job.task
    if not isinstance(task, Nlvr) or task.validation != task.train:
        return
    path = ("jobs", job.name, "task")
    findings.add(
        Diagnostic(
            code="VL505",
            message=f"job `{job.name}` selects its best checkpoint on the split that it trains on",
            span=_span(places, *path, "validation"),
            label="trained on",
            related=(Label(span=_span(places, *path, "train"), text="is the training split"),),
            help=("hold out a share of it, such as `validation = 5%`",),
        )
    )


def check_evaluation(
    job: Evaluate,
    jobs: Mapping[str, Job | None],
    data: Mapping[str, Pairs | None],
    places: Places,
    findings: Findings,
) -> None:
    """Report a split that does not exist or that the model was trained on.

    Args:
        job: the evaluation.
        jobs: all jobs by name.
        data: image-text pairs by name.
        places: where everything was said.
        findings: receives what is wrong.
    """
    measured = jobs.get(job.of)
    if not isinstance(measured, Finetune):
        return
    span = places.value(("jobs", job.name, "split"))
    if span is None:
        raise LookupError(f"nothing was said about job {job.name}")
    known = splits_of(measured)
    if known and job.split not in (*known, trained_split(measured)):
        findings.add(
            Diagnostic(
                code="VL504",
                message=f"task `{measured.task.task}` has no split `{job.split}`",
                span=span,
                help=suggestion(job.split, known, "a split"),
                notes=(f"splits are {listing(known)}",),
                related=(Label(span=_span(places, "jobs", measured.name, "task"), text="the task"),)
                if places.said(("jobs", measured.name, "task"))
                else (),
            )
        )
        return
    for step in chain_of(dict(jobs), job.name)[1:]:
        where = _trains_on(step, job.split, measured, data, places)
        if where is not None:
            findings.add(
                Diagnostic(
                    code="VL505",
                    message=f"split `{job.split}` was trained on",
                    span=span,
                    label="cannot measure the model",
                    related=(Label(span=where, text=f"trained on in job `{step.name}`"),),
                )
            )
            return


def splits_of(job: Finetune) -> tuple[str, ...]:
    """Return the splits of a task that can measure a model; empty where only the data tells."""
    if isinstance(job.task, EasyVqa):
        return ("test", VALIDATION) if job.task.validation > 0 else ("test",)
    return ()


def trained_split(job: Finetune) -> str:
    """Return the split that a task trains on."""
    return job.task.train if isinstance(job.task, Nlvr) else "train"


def _trains_on(
    step: Job, split: str, measured: Finetune, data: Mapping[str, Pairs | None], places: Places
) -> Span | None:
    """Return where a job says that it trains on a split of the measured task, or None."""
    task = measured.task
    if isinstance(step, Finetune):
        same = step.task.task == task.task and step.task.root == task.root
        if same and split == trained_split(step):
            return _span(places, "jobs", step.name, "task")
        return None
    if not isinstance(step, Pretrain):
        return None
    for index, name in enumerate(step.data):
        pairs = data.get(name)
        fits = (isinstance(pairs, EasyVqaPairs) and isinstance(task, EasyVqa)) or (
            isinstance(pairs, NlvrPairs) and isinstance(task, Nlvr)
        )
        if fits and pairs.root == task.root and pairs.split == split:  # type: ignore[union-attr]
            return _span(places, "jobs", step.name, "data", index)
    return None


def _span(places: Places, *path: str | int) -> Span:
    span = places.value(path)
    if span is None:
        raise LookupError(f"nothing was said about {path}")
    return span
