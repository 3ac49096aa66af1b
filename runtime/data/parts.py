"""Which rows of which table make up each split of a job."""

from dataclasses import replace

import numpy as np

from renaissance.grammar.chain import chain_of
from renaissance.grammar.kinds.data import VALIDATION, TaskBlock
from renaissance.grammar.kinds.data import Split as DeclaredSplit
from renaissance.grammar.kinds.registry import facet
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.errors import DataError, NothingLeftError
from renaissance.runtime.data.joining import join
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.reading import read_pairs, read_task
from renaissance.runtime.data.sameness import Photographs, found_among
from renaissance.runtime.data.sampling import held_out
from renaissance.runtime.data.table import Table

MOST_COMPARED = 2**17
"""Image files above which none is opened to find out whether it is held out elsewhere."""


class Tables:
    """The tables of a spec, each of which is read once, when it is first needed."""

    def __init__(self, *, shared: bool = False) -> None:
        """Read nothing yet.

        Args:
            shared: whether several jobs look at them, so that a block is wanted by itself too.
        """
        self._shared = shared
        self._blocks: dict[str, Table] = {}
        self._pairs: dict[tuple[str, ...], Table] = {}
        self._files: list[tuple[TaskBlock, str, Table]] = []

    def block(self, spec: Spec, name: str) -> Table:
        """Return a data block without the images that it excludes; raises DataError."""
        if name not in self._blocks:
            self._blocks[name] = read_block(spec, name, self)
        return self._blocks[name]

    def pairs(self, spec: Spec, names: tuple[str, ...]) -> Table:
        """Return data blocks in one table; raises DataError."""
        if names not in self._pairs:
            self._pairs[names] = join([self.block(spec, name) for name in names])
            if not self._shared:
                self._blocks.clear()
        return self._pairs[names]

    def of_task(self, task: TaskBlock, file: str) -> Table:
        """Return one file of a task's data, such as `test`; raises DataError."""
        for other, name, table in self._files:
            if name == file and other == task:
                return table
        table = read_task(task, file)
        self._files.append((task, file, table))
        return table


class Parts:
    """The splits of a job by name. Each table is read once, when it is first needed.

    A job does not learn from images that it holds out itself, nor from those that a later job,
    which starts from it, holds out to select its best checkpoint.

    Attributes:
        job: whose splits these are.
    """

    def __init__(self, spec: Spec, job: Pretrain | Finetune, tables: Tables | None = None) -> None:
        """Read nothing yet.

        Args:
            spec: the whole experiment.
            job: whose splits these are.
            tables: those that jobs share, kept as long as they are; if None, this job keeps its
                own, and those of other jobs only as long as it looks at them.
        """
        self._spec = spec
        self.job = job
        self._shared = tables
        self._tables = Tables() if tables is None else tables
        self._parts: dict[str, Part] = {}

    def __getitem__(self, split: str) -> Part:
        """Return the rows of a split.

        Raises:
            DataError: if there is no such split, or its files are missing or malformed.
        """
        if split not in self._parts:
            part = self._part(split)
            learned = self._declared(split).use == "train"
            self._parts[split] = self._without_selecting(part) if learned else part
        return self._parts[split]

    def _part(self, split: str) -> Part:
        declared = self._declared(split)
        table = self._table(declared.file)
        rows = np.arange(len(table), dtype=np.int32)
        if declared.held_out is not None:
            least = 2 if isinstance(self.job, Pretrain) else 1
            share, seed = declared.held_out, self.job.seed
            scenes = table.scene_of_row  # [texts, views]
            held = held_out(scenes.ravel(), share, seed, least=least).reshape(scenes.shape)
            # What shows a held-out image beside another one belongs to neither side.
            rows = rows[held.all(axis=1) if declared.use == "select" else ~held.any(axis=1)]
        of_split = len(rows)
        if declared.use != "report":
            known = table.learnable if declared.use == "train" else table.labelled
            rows = rows[known[rows]]
        return Part(
            file=declared.file,
            table=table,
            rows=rows,
            unanswerable=of_split - len(rows),
            labelled=declared.labelled,
        )

    def _without_selecting(self, part: Part) -> Part:
        """Leave out what shows images by which a job that starts from this one selects."""
        table, selecting = part.table, np.zeros(len(part.table.images), bool)
        mine = None
        for name, job in self._spec.jobs.items():
            starts = self.job.name in chain_of(self._spec.jobs, name)[1:]
            if not isinstance(job, Evaluate) and starts:
                theirs = Parts(self._spec, job, self._shared)[VALIDATION]
                images = Photographs(theirs.table, theirs.images)
                mine = mine or Photographs(table)
                found = found_among(mine, images, digests=True, most=MOST_COMPARED)
                selecting |= found.of_table(len(selecting), certain=True)
        kept = part.rows[~selecting[table.images_of_row[part.rows]].any(axis=1)]
        if len(kept) == 0:
            raise DataError(
                f"no image is left for `{self.job.name}` to learn from: all are held out to "
                "select the best checkpoint, by this job or by those that start from it"
            )
        return replace(part, rows=kept, withheld=len(part.rows) - len(kept))

    def is_block(self, name: str) -> bool:
        """Tell whether a data block of the spec is called so."""
        return name in self._spec.data

    def block(self, name: str) -> Table:
        """Return a data block of the spec without the images that it excludes; raises DataError."""
        return self._tables.block(self._spec, name)

    def answers(self, measured: str | None = None) -> tuple[str, ...]:
        """Return the answers of the task of a fine-tuning, in their order.

        Args:
            measured: the split that is measured, where the task is never learned.

        Raises:
            DataError: if what names them cannot be read, or names other ones than the task.
        """
        assert isinstance(self.job, Finetune)
        task = self.job.task
        named = "train" if measured is None else task.known_from(measured)
        found: tuple[str, ...] = facet(task, "reader").answers(task, self[named])
        return found

    def before_withholding(self) -> Part:
        """Return `train` with what is left out because a later job selects by its images."""
        return self._part("train")

    def learned_from(self, split: str) -> dict[str, int]:
        """Count the images of a split that this job, or one that it starts from, learns from.

        Returns:
            How many, by name of the job; jobs that learn from none of them are left out.
        """
        part = self[split]
        images = Photographs(part.table, part.images)
        found = {}
        for name in chain_of(self._spec.jobs, self.job.name):
            if isinstance(self._spec.jobs[name], Evaluate):
                continue  # nothing is learned there
            job = self._spec.training_job(name)
            other = self if job is self.job else Parts(self._spec, job, self._shared)
            train = other["train"]
            learned = Photographs(train.table, train.images)
            count = int(found_among(images, learned, digests=False).there.sum())
            if count:
                found[name] = count
        return found

    def _declared(self, split: str) -> DeclaredSplit:
        """Return what a split is cut from, and which part of that it is."""
        if isinstance(self.job, Finetune):
            task = self.job.task
            found, what, known = task.split(split), task.word(), tuple(task.splits())
        else:
            share = self.job.validation
            splits: dict[str, DeclaredSplit] = {
                "train": DeclaredSplit(file="train", use="train", held_out=share),
                VALIDATION: DeclaredSplit(file="train", use="select", held_out=share),
            }
            found, what, known = splits.get(split), "pretraining", tuple(splits)
        if found is None:
            raise DataError(f"{what} has no split `{split}`; it has {', '.join(known)}")
        return found

    def _table(self, file: str) -> Table:
        if isinstance(self.job, Finetune):
            return self._tables.of_task(self.job.task, file)
        return self._tables.pairs(self._spec, self.job.data)


def measured_only(spec: Spec, name: str) -> str | None:
    """Return the split that a job measures by a task that nothing learns; None for others."""
    job = spec.jobs[name]
    return job.split if isinstance(job, Evaluate) and job.task is not None else None


def parts_of(spec: Spec) -> dict[str, Parts]:
    """Return the splits of what each job of a spec learns from or measures; nothing is read yet.

    They share their tables.
    """
    tables = Tables(shared=True)
    return {name: Parts(spec, spec.data_job(name), tables) for name in spec.jobs}


def read_block(spec: Spec, name: str, tables: Tables | None = None) -> Table:
    """Read a data block of a spec without the images that it excludes; raises DataError.

    Args:
        spec: the whole experiment.
        name: of the block.
        tables: in which those are looked up whose images it excludes; they are read if None.
    """
    block = spec.data[name]
    table = read_pairs(block, name)
    if not block.exclude:
        return table
    mine, left = Photographs(table), table
    for said in block.exclude:
        job, split = _measured(spec, name, said)
        part = Parts(spec, job, tables)[split]
        images = Photographs(part.table, part.images)
        found = found_among(mine, images, digests=True)
        left = left.without(found.of_table(len(table.images)), said)
    if len(left) == 0:
        raise NothingLeftError(f"`exclude` leaves nothing of `{name}`")
    return left


def _measured(spec: Spec, name: str, said: str) -> tuple[Finetune, str]:
    """Return the fine-tuning and the split that `exclude` of a block means."""
    job_name, _, split = said.partition(".")
    job = spec.jobs.get(job_name)
    task = spec.data_job(job_name) if job is not None else None
    if not isinstance(task, Finetune):
        raise DataError(f"data `{name}` excludes `{said}`, which is no evaluation or fine-tuning")
    return task, split or (job.split if isinstance(job, Evaluate) else VALIDATION)
