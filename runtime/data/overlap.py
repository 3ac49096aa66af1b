"""Which images that something is measured on were learned from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from renaissance.grammar.chain import chain_of
from renaissance.grammar.kinds.data import VALIDATION
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.parts import Parts, read_block
from renaissance.runtime.data.sameness import Photographs, found_among


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What a source of training and a split that is measured have in common.

    Attributes:
        train: name of a data block, or `JOB.train` of a fine-tuning.
        eval: name of an evaluation, or `JOB.validation`, which selects a best checkpoint.
        use: what the split is measured for: `select` or `report`.
        images: images of the split that are learned from.
        eval_images: images of the split.
        rows: rows of the split that these images touch.
        eval_rows: rows of the split.
        by: what they were found by: keys, joined by commas; None for no image.
        undecided: images of the split of which it cannot be told.
        withheld: whether a job leaves out by itself what it finds to be in the split.
    """

    train: str
    eval: str
    use: str
    images: int
    eval_images: int
    rows: int
    eval_rows: int
    by: str | None
    undecided: int
    withheld: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A split that is measured: `name` of it, the `job` whose model, the `split`, and its `use`."""

    name: str
    job: str
    split: str
    use: str


def overlaps(
    spec: Spec, *, digests: bool = True, jobs: Sequence[str] | None = None
) -> Iterator[Overlap]:
    """Yield what each pair of a source of training and a split that it is measured on share.

    Args:
        spec: the whole experiment.
        digests: compare files where nothing else tells; see `found_among`.
        jobs: names of the measured jobs and evaluations; all if None.

    Raises:
        DataError: if files are missing or malformed.
    """

    @cache
    def parts_of(name: str) -> Parts:
        return Parts(spec, spec.data_job(name))

    @cache
    def learned_from(job: str) -> dict[str, Photographs]:
        found = spec.training_job(job)
        if isinstance(found, Pretrain):
            return {name: Photographs(read_block(spec, name)) for name in found.data}
        part = parts_of(job).before_withholding()
        return {f"{job}.train": Photographs(part.table, part.images)}

    for measured in measured_splits(spec):
        if jobs is not None and measured.job not in jobs and measured.name not in jobs:
            continue
        part = parts_of(measured.job)[measured.split]
        images = Photographs(part.table, part.images)
        learning = (job for job in chain_of(spec.jobs, measured.job) if not _measures(spec, job))
        for job in reversed(tuple(learning)):
            for source, seen in learned_from(job).items():
                found = found_among(images, seen, digests=digests)
                touched = found.of_table(len(part.table.images))
                rows = touched[part.table.images_of_row[part.rows]].any(axis=1)
                yield Overlap(
                    train=source,
                    eval=measured.name,
                    use=measured.use,
                    images=int(found.there.sum()),
                    eval_images=len(images),
                    rows=int(np.count_nonzero(rows)),
                    eval_rows=len(part),
                    by=", ".join(found.keys) or None,
                    undecided=int(found.undecided.sum()),
                    withheld=measured.use == "select",
                )


def measured_splits(spec: Spec) -> Iterator[Measured]:
    """Yield the splits that select a best checkpoint or are reported on."""
    for name, job in spec.jobs.items():
        if isinstance(job, Finetune) and job.task.split(VALIDATION) is not None:
            yield Measured(name=f"{name}.{VALIDATION}", job=name, split=VALIDATION, use="select")
    for name, job in spec.jobs.items():
        if not isinstance(job, Evaluate):
            continue
        if job.task is not None:
            yield Measured(name=name, job=name, split=job.split, use="report")
        elif isinstance(spec.jobs.get(job.of), Finetune):
            yield Measured(name=name, job=job.of, split=job.split, use="report")


def _measures(spec: Spec, job: str) -> bool:
    return isinstance(spec.jobs[job], Evaluate)
