"""Is a model measured on data that it has not seen?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from renaissance.grammar.chain import chain_of
from renaissance.grammar.composition.findings import Findings, listing, suggestion
from renaissance.grammar.composition.places import Places
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.paths import resolved, same_content, sizes
from renaissance.grammar.schema.data import (
    EasyVqa,
    EasyVqaPairs,
    ImageCaption,
    Nlvr,
    NlvrPairs,
    Pairs,
)
from renaissance.grammar.schema.declaration import Share
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Job, Pretrain
from renaissance.grammar.source import Span

VALIDATION = "validation"
"""Name of the part of the training data that is held out, where a share is held out."""


def check_task(job: Finetune, places: Places, findings: Findings) -> None:
    """Report a split that trains and selects at once."""
    task = job.task
    if not isinstance(task, Nlvr) or isinstance(task.validation, Share):
        return
    if task.validation != task.train and not same_part(
        part_of(task, task.validation), part_of(task, task.train)
    ):
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
    for step in chain_of(jobs, job.name)[1:]:
        where = _trains_on(jobs[step], job.split, measured, data, places)
        if where is not None:
            findings.add(
                Diagnostic(
                    code="VL505",
                    message=f"split `{job.split}` was trained on",
                    span=span,
                    label="cannot measure the model",
                    related=(Label(span=where, text=f"trained on in job `{step}`"),),
                )
            )
            return


def check_repeated_data(
    job: Pretrain, data: Mapping[str, Pairs | None], places: Places, findings: Findings
) -> None:
    """Report two data blocks of a pretraining that hold the same pairs."""
    seen: dict[str, Pairs] = {}
    for index, name in enumerate(job.data):
        pairs = data.get(name)
        if pairs is None or name in seen:
            continue
        twin = next((other for other, block in seen.items() if same_pairs(block, pairs)), None)
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


def same_pairs(one: Pairs, other: Pairs) -> bool:
    """Tell whether two blocks name the same pairs: equal tables of the same images."""
    if isinstance(one, ImageCaption) and isinstance(other, ImageCaption):
        return (
            (one.image, one.caption) == (other.image, other.caption)
            and _images(one) == _images(other)
            and (
                resolved(one.table) == resolved(other.table) or same_content(one.table, other.table)
            )
        )
    if isinstance(one, ImageCaption) or isinstance(other, ImageCaption):
        return False
    return same_part(part_of(one, one.split), part_of(other, other.split))


def _images(block: ImageCaption) -> str:
    return resolved(Path(block.table).parent if block.root is None else block.root)


def splits_of(job: Finetune) -> tuple[str, ...]:
    """Return the splits of a task that can measure a model; empty where only the data tells."""
    if isinstance(job.task, EasyVqa):
        return ("test", VALIDATION) if job.task.validation > 0 else ("test",)
    return ()


def trained_split(job: Finetune) -> str:
    """Return the split that a task trains on."""
    return job.task.train if isinstance(job.task, Nlvr) else "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a data set as a file names it.

    Attributes:
        kind: of the data: `easy_vqa` or `nlvr`.
        folder: that holds the part; None for one of the installed package.
        split: name of the part.
    """

    kind: str
    folder: Path | None
    split: str

    @property
    def sentences(self) -> Path | None:
        """The file with the sentences of the part."""
        if self.folder is None:
            return None
        name = "questions.json" if self.kind == "easy_vqa" else f"{self.split}.json"
        return self.folder / name


def part_of(block: EasyVqaPairs | NlvrPairs | EasyVqa | Nlvr, split: str) -> Part:
    """Return a part of the data that a block names."""
    kind = "easy_vqa" if isinstance(block, EasyVqaPairs | EasyVqa) else "nlvr"
    root = Path(block.root) if block.root is not None else installed(kind)
    return Part(kind=kind, folder=root / split if root is not None else None, split=split)


def installed(kind: str) -> Path | None:
    """Return the data inside the package that brings it, where that is installed."""
    from importlib.util import find_spec

    found = find_spec(kind) if kind == "easy_vqa" else None
    return Path(found.origin).parent / "data" if found is not None and found.origin else None


def same_part(one: Part, other: Part) -> bool:
    """Tell whether two parts are the same data: one folder under two names, or one a copy.

    A copy has the same sentences, and images of the same names and sizes.
    """
    if one.kind != other.kind:
        return False
    if one.folder is None or other.folder is None:
        return one.folder == other.folder and one.split == other.split
    if resolved(one.folder) == resolved(other.folder):
        return True
    return same_content(one.sentences, other.sentences) and (
        sizes(one.folder / "images") == sizes(other.folder / "images")
    )


def _trains_on(
    step: Job | None,
    split: str,
    measured: Finetune,
    data: Mapping[str, Pairs | None],
    places: Places,
) -> Span | None:
    """Return where a job says that it trains on a split of the measured task, or None."""
    task = measured.task
    if isinstance(step, Finetune):
        if same_part(part_of(step.task, trained_split(step)), part_of(task, split)):
            return _span(places, "jobs", step.name, "task")
        return None
    if not isinstance(step, Pretrain):
        return None
    for index, name in enumerate(step.data):
        pairs = data.get(name)
        if not isinstance(pairs, EasyVqaPairs | NlvrPairs):
            continue
        if same_part(part_of(pairs, pairs.split), part_of(task, split)):
            return _span(places, "jobs", step.name, "data", index)
    return None


def _span(places: Places, *path: str | int) -> Span:
    span = places.value(path)
    if span is None:
        raise LookupError(f"nothing was said about {path}")
    return span
