"""Which images that something is measured on were learned from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TypeVar

import numpy as np

from renaissance.grammar.chain import chain_of
from renaissance.grammar.kinds.data import VALIDATION
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.parts import Parts, parts_of
from renaissance.runtime.data.repeats import repeated
from renaissance.runtime.data.sameness import Photographs, found_among

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What a source of training and a split that is measured have in common.

    Attributes:
        train: name of a data block, or `JOB.train` of a fine-tuning.
        job: that learns from it.
        eval: name of an evaluation, or `JOB.validation`, which selects a best checkpoint.
        use: what the split is measured for: `select` or `report`.
        images: images of the split that are learned from.
        eval_images: images of the split.
        rows: rows of the split that these images touch.
        eval_rows: rows of the split.
        repeated: rows of the split that are learned from as they are, images and texts.
        by: what they were found by: keys, joined by commas; None for no image.
        undecided: images of the split of which it cannot be told.
        withheld: whether the job leaves out by itself what it finds to be in the split.
        problem: why nothing could be compared; None where it was.
    """

    train: str
    job: str
    eval: str
    use: str
    images: int = 0
    eval_images: int = 0
    rows: int = 0
    eval_rows: int = 0
    repeated: int = 0
    by: str | None = None
    undecided: int = 0
    withheld: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A split that is measured.

    Attributes:
        name: of the split.
        owner: the job that measures it: a fine-tuning that selects by it, or an evaluation.
        job: the fine-tuning whose model is measured.
        split: what its task calls it.
        use: what it is measured for: `select` or `report`.
        is_share: whether the fine-tuning holds it out of what it would learn from.
    """

    name: str
    owner: str
    job: str
    split: str
    use: str
    is_share: bool


def overlaps(
    spec: Spec,
    *,
    digests: bool = True,
    jobs: Sequence[str] | None = None,
    parts: Mapping[str, Parts] | None = None,
) -> Iterator[Overlap]:
    """Yield what each pair of a source of training and a split that it is measured on share.

    Where the files of one are missing or malformed, that pair is undecided and says why.

    Args:
        spec: the whole experiment.
        digests: compare files where nothing else tells (see `found_among`), and texts.
        jobs: names of the measured jobs and evaluations; all if None.
        parts: the splits of its training jobs; they are read if None.
    """
    splits = parts_of(spec) if parts is None else parts

    @cache
    def learned_from(source: str, job: str) -> tuple[Part, Photographs] | DataError:
        return _or_problem(lambda: _seen(splits[job], source))

    for measured in measured_splits(spec):
        if jobs is not None and measured.job not in jobs and measured.name not in jobs:
            continue
        part = _or_problem(partial(splits[measured.job].__getitem__, measured.split))
        learning = [job for job in chain_of(spec.jobs, measured.job) if not _measures(spec, job)]
        for job in reversed(learning):
            for source in _sources(spec, job):
                known = Overlap(
                    train=source,
                    job=job,
                    eval=measured.name,
                    use=measured.use,
                    # Nobody leaves out what a job itself selects by, but what is held out.
                    withheld=measured.use == "select" and job != measured.job,
                )
                yield _overlap(known, part, learned_from(source, job), digests=digests)


def _sources(spec: Spec, job: str) -> Sequence[str]:
    """Return what a job learns from: the names of its data blocks, or `JOB.train`."""
    found = spec.jobs[job]
    return found.data if isinstance(found, Pretrain) else (f"{job}.train",)


def _or_problem(read: Callable[[], Read]) -> Read | DataError:
    """Return what is read, or why it cannot be read."""
    try:
        return read()
    except DataError as problem:
        return problem
    except OSError as problem:
        return DataError(f"{problem.filename}: {problem.strerror}")


def _seen(parts: Parts, source: str) -> tuple[Part, Photographs]:
    """Return what a job learns from one source, before anything is withheld; raises DataError."""
    if parts.is_block(source):
        table = parts.block(source)
        part = Part(file="train", table=table, rows=np.arange(len(table)))
        return part, Photographs(table)
    part = parts.before_withholding()
    return part, _photographs(part)


def _photographs(part: Part) -> Photographs:
    return Photographs(part.table, part.images)


def _overlap(
    known: Overlap,
    part: Part | DataError,
    seen: tuple[Part, Photographs] | DataError,
    *,
    digests: bool,
) -> Overlap:
    """Compare a split with a source; nothing is decided where one of them cannot be read."""
    if isinstance(part, DataError):
        return replace(known, problem=str(part))
    images = _photographs(part)
    known = replace(known, eval_images=len(images), eval_rows=len(part))
    if isinstance(seen, DataError):
        return replace(known, undecided=len(images), problem=str(seen))
    learned, photographs = seen
    found = found_among(images, photographs, digests=digests)
    touched = found.of_table(len(part.table.images))
    rows = touched[part.table.images_of_row[part.rows]].any(axis=1)
    return replace(
        known,
        images=int(found.there.sum()),
        rows=int(np.count_nonzero(rows)),
        repeated=int(np.count_nonzero(repeated(part, learned))) if digests else 0,
        by=", ".join(found.keys) or None,
        undecided=int(found.undecided.sum()),
    )


def measured_splits(spec: Spec) -> Iterator[Measured]:
    """Yield the splits that select a best checkpoint or are reported on."""
    for name, job in spec.jobs.items():
        if isinstance(job, Finetune) and job.task.split(VALIDATION) is not None:
            yield _measured(f"{name}.{VALIDATION}", name, job, VALIDATION, "select")
    for name, job in spec.jobs.items():
        if not isinstance(job, Evaluate):
            continue
        measured = spec.data_job(name)
        if isinstance(measured, Finetune):
            of = name if job.task is not None else job.of
            yield _measured(name, name, measured, job.split, "report", of)


def _measures(spec: Spec, job: str) -> bool:
    return isinstance(spec.jobs[job], Evaluate)


def _measured(
    name: str, owner: str, learned: Finetune, split: str, use: str, job: str | None = None
) -> Measured:
    declared = learned.task.split(split)
    is_share = declared is not None and declared.use == "select" and declared.held_out is not None
    return Measured(
        name=name, owner=owner, job=job or owner, split=split, use=use, is_share=is_share
    )
