"""What is measured although it was learned from, found before anything runs."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from renaissance.grammar.chain import chain_of
from renaissance.grammar.kinds.data import apart
from renaissance.grammar.schema.jobs import Evaluate, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.overlap import Measured, measured_splits
from renaissance.runtime.data.parts import Parts, parts_of
from renaissance.runtime.data.repeats import repeated

MOST_REPEATED = 0.05
"""Share of the rows of a split that may be learned from: published sets hold some of them twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Rows that a job learns from and that are measured.

    Attributes:
        job: that learns from them.
        blocks: data blocks that hold them; none where they are of the task.
        measured: the split.
        repeated: rows that are in both.
        rows: rows of the split.
    """

    job: str
    blocks: tuple[str, ...]
    measured: Measured
    repeated: int
    rows: int

    @property
    def sentence(self) -> str:
        """Say what is wrong, and what to do about it."""
        does = "selects the best checkpoint by" if self.measured.use == "select" else "measures"
        who = self.measured.job if self.measured.use == "select" else self.measured.name
        what = "all" if self.repeated == self.rows else f"{self.repeated:,} of the"
        said = (
            f"`{who}` {does} what job `{self.job}` learns from: {what} {self.rows:,} rows of "
            f"`{self.measured.split}` have the same texts and images"
        )
        cures = []
        if self.blocks:
            blocks = " and ".join(f"`{name}`" for name in self.blocks)
            cures.append(f"`exclude = [{self.measured.owner}]` in data {blocks} leaves them out")
        elif self.measured.use == "select":
            cures.append("hold out a share of what is learned from, such as `validation = 5%`")
        if self.measured.use == "report":
            cures.append("`trained_on = allow` measures them all the same")
        return f"{said}; {'; '.join(cures)}" if cures else said


def leaks(
    spec: Spec,
    names: Collection[str] | None = None,
    *,
    parts: Mapping[str, Parts] | None = None,
) -> Iterator[Leak]:
    """Yield what selects a best checkpoint or is reported on although it was learned from.

    What cannot be read is passed over: the job that reads it says what is wrong.

    Args:
        spec: the whole experiment.
        names: of the jobs that select and report; all if None.
        parts: the splits of its training jobs; they are read if None.
    """
    parts = parts_of(spec) if parts is None else parts
    for measured in measured_splits(spec):
        user = spec.jobs[measured.owner]
        if names is not None and measured.owner not in names:
            continue
        if isinstance(user, Evaluate) and user.trained_on == "allow":
            continue
        for name in chain_of(spec.jobs, measured.job):
            if isinstance(spec.jobs[name], Evaluate):
                continue
            try:
                leak = _leak(spec, parts, measured, name)
            except (DataError, OSError):
                continue
            if leak is not None:
                yield leak
                break


def _leak(spec: Spec, parts: Mapping[str, Parts], measured: Measured, name: str) -> Leak | None:
    if (measured.is_share and name == measured.job) or _published_apart(spec, measured, name):
        return None  # nothing that is held out is learned from by the job itself
    part = parts[measured.job][measured.split]
    if measured.use == "select" and name != measured.job and part.shows_images:
        return None  # what it starts from leaves these images out
    learned = parts[name]["train"]
    found = repeated(part, learned)
    count = int(np.count_nonzero(found))
    if count <= MOST_REPEATED * len(part):
        return None
    job = spec.jobs[name]
    blocks: tuple[str, ...] = ()
    if isinstance(job, Pretrain):
        of = learned.table.source_of_row[learned.rows[repeated(learned, part)]]
        blocks = tuple(learned.table.sources[number].name for number in np.unique(of).tolist())
    return Leak(job=name, blocks=blocks, measured=measured, repeated=count, rows=len(part))


def _published_apart(spec: Spec, measured: Measured, name: str) -> bool:
    """Tell whether a split is no part of what a job learns from, as whoever published both says.

    Folders are whatever lies in them; only of installed packages it is known what they hold.
    """
    owner, job = spec.data_job(measured.job), spec.training_job(name)
    if isinstance(owner, Pretrain):
        return False
    declared = owner.task.split(measured.split)
    part = None if declared is None else owner.task.part(declared.file)
    if isinstance(job, Pretrain):
        learned = [spec.data[block].part for block in job.data]
    else:
        learned = [job.task.part(job.task.learned.file)]
    return all(apart(part, other) for other in learned)
