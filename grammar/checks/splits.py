"""Is a model measured on data that it has not seen?"""

from collections.abc import Mapping

from renaissance.grammar.chain import chain_of
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.kinds.data import VALIDATION, FormatBlock, TaskBlock, likeness
from renaissance.grammar.names import listing, suggestion, together
from renaissance.grammar.places import Places
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.schema.vocabulary import keys_of
from renaissance.grammar.source import Span


def check_task(job: Finetune, places: Places, findings: Findings) -> None:
    """Report what is missing to learn from, and a split that trains and selects at once."""
    task = job.task
    missing = [name for name in task.needed_to_learn if getattr(task, name) is None]
    if missing:
        findings.add(_needed(job, missing, places))
        return
    splits = task.splits()
    learned, selects = task.learned, splits.get(VALIDATION)
    if selects is None or selects.held_out is not None:
        return
    alike = likeness(task.part(selects.file), task.part(learned.file))
    if selects.file != learned.file and alike is None:
        return
    path = ("jobs", job.name, "task")
    findings.add(
        Diagnostic(
            code="VL505",
            message=f"job `{job.name}` selects its best checkpoint on the split that it trains on",
            span=_span(places, *path, "validation"),
            label="trained on",
            related=(Label(span=_span(places, *path, "train"), text="is the training split"),),
            notes=() if alike is None else (alike,),
            help=("hold out a share of it, such as `validation = 5%`",),
        )
    )


def _needed(job: Finetune, missing: list[str], places: Places) -> Diagnostic:
    """Explain keys that may be left out only where nothing is learned."""
    task, names = job.task, together(missing)
    known = keys_of(type(task))
    word = places.key(("jobs", job.name, "task"))
    assert word is not None  # the task is stated
    return Diagnostic(
        code="VL403",
        message=f"`{task.word()}` needs {names}",
        span=word,
        label=f"{names} {'is' if len(missing) == 1 else 'are'} missing",
        help=tuple(f"add `{name} = …`: {known[name].description}" for name in missing),
    )


def check_evaluation(
    job: Evaluate,
    jobs: Mapping[str, Job | None],
    data: Mapping[str, FormatBlock | None],
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
    span = _span(places, "jobs", job.name, "split")
    if isinstance(measured, Pretrain | Finetune):
        _check_weights(job, measured, places, findings)
    if isinstance(measured, Pretrain) and job.task is None:
        _check_held_out(job, measured, span, places, findings)
    if job.task is not None:
        task, asks = job.task, job.name
    elif isinstance(measured, Finetune):
        task, asks = measured.task, measured.name
    else:
        return
    known = splits_of(task)
    learned = job.split == "train" and "train" in task.splits()
    if not (task.open_splits or learned or job.split in known):
        findings.add(
            Diagnostic(
                code="VL504",
                message=f"task `{task.word()}` has no split `{job.split}`",
                span=span,
                help=_key_of(job.split, task) or suggestion(job.split, known, "a split"),
                notes=(f"splits are {listing(known)}",),
                related=(Label(span=_span(places, "jobs", asks, "task"), text="the task"),)
                if places.said(("jobs", asks, "task"))
                else (),
            )
        )
        return
    if job.trained_on == "refuse":
        _check_new(job, jobs, task, data, places, findings)


def _check_new(
    job: Evaluate,
    jobs: Mapping[str, Job | None],
    task: TaskBlock,
    data: Mapping[str, FormatBlock | None],
    places: Places,
    findings: Findings,
) -> None:
    """Report a split that a job was trained on which the measured one starts from, or it itself."""
    for step in chain_of(jobs, job.name)[1:]:
        found = _trains_on(jobs[step], job, task, data, places)
        if found is not None:
            where, alike = found
            findings.add(
                Diagnostic(
                    code="VL505",
                    message=f"split `{job.split}` was trained on",
                    span=_span(places, "jobs", job.name, "split"),
                    label="cannot measure the model",
                    related=(Label(span=where, text=f"trained on in job `{step}`"),),
                    notes=(alike,),
                    help=("`trained_on = allow` measures how well the model fits it",),
                )
            )
            return


def _check_weights(
    job: Evaluate, measured: Pretrain | Finetune, places: Places, findings: Findings
) -> None:
    """Warn about a choice of weights where there is only one kind of them."""
    if measured.average is None and places.said(("jobs", job.name, "weights")):
        findings.add(
            Diagnostic(
                code="VL506",
                message="`weights` has no effect here",
                span=_span(places, "jobs", job.name, "weights"),
                severity="warning",
                label=f"job `{measured.name}` has no `average`",
            )
        )


def _check_held_out(
    job: Evaluate, measured: Pretrain, span: Span, places: Places, findings: Findings
) -> None:
    """Report an evaluation of a pretraining on anything but what it holds out."""
    nothing = float(measured.validation) == 0
    if job.split != VALIDATION or nothing:
        chosen = places.said(("jobs", job.name, "split"))
        if nothing:
            message = f"pretraining `{measured.name}` holds nothing out to be measured on"
        elif chosen:
            message = f"pretraining `{measured.name}` has no split `{job.split}`"
        else:
            message = f"`{job.name}` does not say what of pretraining `{measured.name}` it measures"
        writes = f"`split = {VALIDATION}`"
        hold = f"hold out a share of its images, such as `validation = 2%` in `{measured.name}`"
        findings.add(
            Diagnostic(
                code="VL504",
                message=message,
                span=span,
                help=(hold if chosen else f"{hold}, and write {writes} here",)
                if nothing
                else (f"write {writes}: its objectives, on the images that it holds out",),
                related=(Label(span=_span(places, "jobs", measured.name), text="the pretraining"),),
            )
        )
    if job.write is not None:
        findings.add(
            Diagnostic(
                code="VL506",
                message="`write` has no effect here",
                span=_span(places, "jobs", job.name, "write"),
                severity="warning",
                label="a pretraining answers nothing that could be written",
            )
        )


def check_repeated_data(
    job: Pretrain, data: Mapping[str, FormatBlock | None], places: Places, findings: Findings
) -> None:
    """Report two data blocks of a pretraining that hold the same pairs."""
    seen: dict[str, FormatBlock] = {}
    for index, name in enumerate(job.data):
        pairs = data.get(name)
        if pairs is None or name in seen:
            continue
        twin = next((other for other, block in seen.items() if block.same_pairs(pairs)), None)
        if twin is not None:
            findings.add(
                Diagnostic(
                    code="VL518",
                    message=f"data `{name}` holds the same pairs as data `{twin}`",
                    span=_span(places, "jobs", job.name, "data", index),
                    label="named again",
                    related=(
                        Label(
                            span=_span(places, "jobs", job.name, "data", job.data.index(twin)),
                            text="first named here",
                        ),
                    ),
                    help=("leave it out: each of its pairs is learned from once in an epoch",),
                )
            )
        seen[name] = pairs


def check_exclusions(
    data: Mapping[str, FormatBlock | None],
    jobs: Mapping[str, Job | None],
    places: Places,
    findings: Findings,
) -> None:
    """Report what data exclude although nothing is measured on it.

    Data may be declared in a file without jobs, for others to import.
    """
    for name, pairs in data.items():
        for index, said in enumerate(pairs.exclude if pairs is not None and jobs else ()):
            job_name, _, split = said.partition(".")
            job, where = jobs.get(job_name), _span(places, "data", name, "exclude", index)
            measured = jobs.get(job.of) if isinstance(job, Evaluate) else job
            task = measured.task if isinstance(measured, Finetune) else None
            if isinstance(job, Evaluate) and job.task is not None:
                task = job.task
            if job_name not in jobs:
                measurable = [other for other, one in jobs.items() if not isinstance(one, Pretrain)]
                finding = Diagnostic(
                    code="VL104",
                    message=f"there is no job named `{job_name}`",
                    span=where,
                    label="its images are to be left out",
                    help=suggestion(job_name, measurable, "a job"),
                )
            elif isinstance(measured, Pretrain) and task is None:
                finding = Diagnostic(
                    code="VL503",
                    message="`exclude` names evaluations and fine-tunings",
                    span=where,
                    label="is `pretrain`",
                    help=("name the job that measures, as an `evaluate`",),
                )
            elif split and task is not None and task.split(split) is None:
                known = splits_of(task)
                finding = Diagnostic(
                    code="VL504",
                    message=f"task `{task.word()}` has no split `{split}`",
                    span=where,
                    help=suggestion(split, known, "a split"),
                    notes=(f"splits are {listing(known)}",),
                )
            else:
                continue
            findings.add(finding)


def _key_of(split: str, task: TaskBlock) -> tuple[str, ...]:
    """Say how to name the file of a split that exists where a key says so; nothing of others."""
    if split not in task.split_keys:
        return ()
    return (f'write `{split} = "…"` in the task: the file of this split',)


def splits_of(task: TaskBlock) -> tuple[str, ...]:
    """Return the splits of a task that can measure a model, as far as they are known."""
    return tuple(
        name
        for name, split in task.splits().items()
        if split.use != "train" and (split.held_out is None or split.held_out > 0)
    )


def _trains_on(
    step: Job | None,
    job: Evaluate,
    task: TaskBlock,
    data: Mapping[str, FormatBlock | None],
    places: Places,
) -> tuple[Span, str] | None:
    """Return where a job says that it trains on what an evaluation measures, and why; or None."""
    source = task.split(job.split)
    # A share that is held out is no part of what any job of the chain learns from.
    if source is None or (source.use == "select" and source.held_out is not None):
        return None
    part = task.part(source.file)
    if isinstance(step, Finetune):
        if "train" not in step.task.splits():
            return None  # which is said of it
        alike = likeness(step.task.part(step.task.learned.file), part)
        return None if alike is None else (_span(places, "jobs", step.name, "task"), alike)
    if not isinstance(step, Pretrain):
        return None
    for index, name in enumerate(step.data):
        pairs = data.get(name)
        alike = None if pairs is None else likeness(pairs.part, part)
        left_out = pairs is not None and {job.name, f"{job.of}.{job.split}"} & {*pairs.exclude}
        if alike is not None and not left_out:
            return _span(places, "jobs", step.name, "data", index), alike
    return None


def _span(places: Places, *path: str | int) -> Span:
    span = places.value(path)
    if span is None:
        raise LookupError(f"nothing was said about {path}")
    return span
