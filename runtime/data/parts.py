"""Which rows of which table make up each split of a job."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from renaissance.grammar.chain import chain_of
from renaissance.grammar.kinds.data import VALIDATION, FormatBlock, TaskBlock
from renaissance.grammar.kinds.data import Split as DeclaredSplit
from renaissance.grammar.kinds.registry import facet
from renaissance.grammar.schema.jobs import Evaluate, Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.errors import DataError, NothingLeftError
from renaissance.runtime.data.many_texts import Texts, numbered, pieces, pieces_at
from renaissance.runtime.data.sameness import Photographs, found_among
from renaissance.runtime.data.sampling import held_out
from renaissance.runtime.data.table import Source, Table, TextColumn, join

MOST_COMPARED = 2**17
"""Image files above which none is opened to find out whether it is held out elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Where the texts of a split are.

    Attributes:
        file: name of the table among those of the job.
        table: the whole table.
        rows: `[texts]` int64, the rows of the table that belong to the split, ascending.
        withheld: texts that are no part of `train` because a later job selects by their images.
        labelled: whether what is right is known.
    """

    file: str
    table: Table
    rows: np.ndarray
    withheld: int = 0
    labelled: bool = True

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.rows)

    @property
    def weights(self) -> np.ndarray | None:
        """`[texts]` float64: how often each comes in an epoch; None where each comes once."""
        weights = self.table.weight_of_row
        return None if weights is None else weights[self.rows]

    @property
    def images(self) -> np.ndarray:
        """`[images]` int64: the images that the texts are about, ascending."""
        return np.unique(self.table.images_of_row[self.rows])

    @property
    def shows_images(self) -> bool:
        """Whether each text is about an image."""
        shown = pc.not_equal(self.table.images.data.column("path"), "").take(pa.array(self.images))
        return bool(pc.all(shown).as_py())

    @property
    def shown_images(self) -> int:
        """How many images there are; texts without one are shown none of them."""
        paths = self.table.images.data.column("path")
        shown = np.asarray(pc.not_equal(paths, ""))
        return int(np.count_nonzero(shown[self.images]))

    @property
    def distinct_texts(self) -> int:
        """How many different texts there are."""
        return int(np.count_nonzero(numbered(self.texts.pieces())[1]))

    @property
    def texts(self) -> Texts:
        """The texts."""
        return Texts(self.rows, self.table.texts)

    @property
    def seconds(self) -> Texts:
        """The second texts of rows that have two; none where they have one."""
        seconds = self.table.seconds
        return Texts(self.rows, *([] if seconds is None else [seconds]))

    @property
    def all_texts(self) -> Texts:
        """The texts, and behind them the second ones."""
        seconds = self.table.seconds
        return Texts(self.rows, self.table.texts, *([] if seconds is None else [seconds]))

    @property
    def digest(self) -> str:
        """Names texts, images and what is known of them, in order; not the folder they lie in."""
        digest = xxhash.xxh3_128()
        image = self.table.images_of_row[self.rows]
        paths = partial(_paths, self.table, np.unique(image))
        # What all paths begin with is what the first and the last of them begin with.
        ends = [end for piece in paths() for end in pc.min_max(piece).as_py().values() if end]
        cut = os.path.commonprefix(ends).rfind("/") + 1  # noqa: RUF071
        digest.update(image.tobytes())
        _digest_texts(digest, self.texts.pieces)
        _digest_texts(digest, lambda: (pc.utf8_slice_codeunits(piece, cut) for piece in paths()))
        for name in self.table.known_of_rows:
            _digest_column(digest, self.table.column(name).take(self.rows))
        return digest.hexdigest()

    @property
    def answers(self) -> list[str]:
        """The answer of each text; DataError where there are none."""
        answers = self.table.answers()
        return [answers[row] for row in self.rows.tolist()]


def _paths(table: Table, images: np.ndarray) -> Iterator[pa.Array]:
    """Yield the paths of images `[n]` int64, ascending, in pieces, but for that of no image."""
    for piece in pieces_at(table.images.data.column("path"), images):
        yield piece.filter(pc.not_equal(piece, ""))


def _digest_column(digest: xxhash.xxh3_128, column: TextColumn) -> None:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        digest.update(pc.list_value_length(column).to_numpy(zero_copy_only=False).tobytes())
        _digest_column(digest, pc.list_flatten(column))
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        _digest_texts(digest, partial(pieces, column))
    else:
        digest.update(column.to_numpy(zero_copy_only=False).tobytes())


def _digest_texts(digest: xxhash.xxh3_128, texts: Callable[[], Iterator[pa.Array]]) -> None:
    """Add the lengths of all texts, then the texts."""
    for piece in texts():
        digest.update(pc.binary_length(pc.fill_null(piece, "\0")).to_numpy().tobytes())
    for piece in texts():
        digest.update("".join(pc.fill_null(piece, "\0").to_pylist()).encode())


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
        self._job = job
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
        rows = np.arange(len(table))
        if declared.held_out is not None:
            least = 2 if isinstance(self._job, Pretrain) else 1
            share, seed = declared.held_out, self._job.seed
            scenes = table.scene_of_row  # [texts, views]
            held = held_out(scenes.ravel(), share, seed, least=least).reshape(scenes.shape)
            # What shows a held-out image beside another one belongs to neither side.
            rows = rows[held.all(axis=1) if declared.use == "select" else ~held.any(axis=1)]
        if declared.use != "report":
            known = table.learnable if declared.use == "train" else table.labelled
            rows = rows[known[rows]]
        return Part(file=declared.file, table=table, rows=rows, labelled=declared.labelled)

    def _without_selecting(self, part: Part) -> Part:
        """Leave out what shows images by which a job that starts from this one selects."""
        table, selecting = part.table, np.zeros(len(part.table.images), bool)
        mine = None
        for name, job in self._spec.jobs.items():
            starts = self._job.name in chain_of(self._spec.jobs, name)[1:]
            if not isinstance(job, Evaluate) and starts:
                theirs = Parts(self._spec, job, self._shared)[VALIDATION]
                images = Photographs(theirs.table, theirs.images)
                mine = mine or Photographs(table)
                found = found_among(mine, images, digests=True, most=MOST_COMPARED)
                selecting |= found.of_table(len(selecting), certain=True)
        kept = part.rows[~selecting[table.images_of_row[part.rows]].any(axis=1)]
        if len(kept) == 0:
            raise DataError(
                f"no image is left for `{self._job.name}` to learn from: all are held out to "
                "select the best checkpoint, by this job or by those that start from it"
            )
        return replace(part, rows=kept, withheld=len(part.rows) - len(kept))

    def is_block(self, name: str) -> bool:
        """Tell whether a data block of the spec is called so."""
        return name in self._spec.data

    def block(self, name: str) -> Table:
        """Return a data block of the spec without the images that it excludes; raises DataError."""
        return self._tables.block(self._spec, name)

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
        for name in chain_of(self._spec.jobs, self._job.name):
            if isinstance(self._spec.jobs[name], Evaluate):
                continue  # nothing is learned there
            job = self._spec.training_job(name)
            other = self if job is self._job else Parts(self._spec, job, self._shared)
            train = other["train"]
            learned = Photographs(train.table, train.images)
            count = int(found_among(images, learned, digests=False).there.sum())
            if count:
                found[name] = count
        return found

    def _declared(self, split: str) -> DeclaredSplit:
        """Return what a split is cut from, and which part of that it is."""
        if isinstance(self._job, Finetune):
            task = self._job.task
            found, what, known = task.split(split), task.word(), tuple(task.splits())
        else:
            share = self._job.validation
            splits: dict[str, DeclaredSplit] = {
                "train": DeclaredSplit(file="train", use="train", held_out=share),
                VALIDATION: DeclaredSplit(file="train", use="select", held_out=share),
            }
            found, what, known = splits.get(split), "pretraining", tuple(splits)
        if found is None:
            raise DataError(f"{what} has no split `{split}`; it has {', '.join(known)}")
        return found

    def _table(self, file: str) -> Table:
        if isinstance(self._job, Finetune):
            return self._tables.of_task(self._job.task, file)
        return self._tables.pairs(self._spec, self._job.data)


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
    mine, excluded = Photographs(table), np.zeros(len(table.images), bool)
    for said in block.exclude:
        job, split = _measured(spec, name, said)
        part = Parts(spec, job, tables)[split]
        images = Photographs(part.table, part.images)
        excluded |= found_among(mine, images, digests=True).of_table(len(excluded))
    left = table.without(excluded)
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


def read_pairs(pairs: FormatBlock, name: str) -> Table:
    """Read a data block of a spec; raises DataError."""
    source = Source(name=name, max_unreadable=pairs.max_unreadable)
    table: Table = facet(pairs, "reader").read(pairs, source)
    return table if pairs.weight == 1 else table.weighted(pairs.weight)


def read_task(task: TaskBlock, file: str, *, shown: bool = True) -> Table:
    """Read one file of a task's data, such as `test`; raises DataError.

    Args:
        task: says where the data lie.
        file: part of the published data.
        shown: whether a model is shown texts and images, so that they have to be there.
    """
    source = Source(name=f"{task.word()} {file}", max_unreadable=task.max_unreadable, shown=shown)
    table: Table = facet(task, "reader").read(task, source, file)
    return table
