"""Which rows of which table make up each split of a job."""

import os
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from renaissance.grammar.chain import chain_of
from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.data import FormatBlock, TaskBlock
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.easy_vqa import read_easy_vqa
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.image_caption import read_image_caption
from renaissance.runtime.data.nlvr import read_nlvr
from renaissance.runtime.data.real_paths import real_paths
from renaissance.runtime.data.sampling import held_out
from renaissance.runtime.data.table import Source, Table, join
from renaissance.runtime.formats.easy_vqa.schema import EasyVqaPairs
from renaissance.runtime.formats.image_caption.schema import ImageCaption
from renaissance.runtime.tasks.easy_vqa.schema import EasyVqa


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Where the texts of a split are.

    Attributes:
        file: name of the table among those of the job.
        table: the whole table.
        rows: `[texts]` int64, the rows of the table that belong to the split.
        withheld: texts that are no part of `train` because a later job selects by their images.
    """

    file: str
    table: Table
    rows: np.ndarray
    withheld: int = 0

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.rows)

    @property
    def images(self) -> np.ndarray:
        """`[images]` int64: the images that the texts are about, ascending."""
        return np.unique(self.table.image_of_row[self.rows])

    @property
    def files(self) -> list[str]:
        """The files of these images, however the table spells their paths."""
        paths = self.table.paths
        return real_paths([paths[image] for image in self.images.tolist()])

    @property
    def distinct_texts(self) -> int:
        """How many different texts there are."""
        count: int = pc.count_distinct(self.table.texts.take(self.rows)).as_py()
        return count

    @property
    def texts(self) -> list[str]:
        """The texts."""
        texts: list[str] = self.table.texts.take(self.rows).to_pylist()
        return texts

    @property
    def digest(self) -> str:
        """Names texts, images and answers, in their order; not the folder that they lie in."""
        digest = xxhash.xxh3_128()
        image = self.table.image_of_row[self.rows]
        of_all = self.table.paths
        paths = [of_all[number] for number in np.unique(image).tolist()]
        # What all paths begin with is what the first and the last of them begin with.
        ends = [min(paths, default=""), max(paths, default="")]
        cut = os.path.commonprefix(ends).rfind("/") + 1  # noqa: RUF071
        digest.update(image.tobytes())
        for texts in (
            self.table.texts.take(self.rows),
            pa.array([path[cut:] for path in paths], pa.string()),
            pa.array(self.answers if self.table.has_answers else [], pa.string()),
        ):
            digest.update(pc.binary_length(texts).to_numpy().tobytes())
            digest.update("".join(texts.to_pylist()).encode())
        return digest.hexdigest()

    @property
    def answers(self) -> list[str]:
        """The answer of each text; DataError where there are none."""
        answers = self.table.answers()
        return [answers[row] for row in self.rows.tolist()]


class Parts:
    """The splits of a job by name. Each table is read once, when it is first needed.

    A job does not learn from images that it holds out itself, nor from those that a later job,
    which starts from it, holds out to select its best checkpoint.
    """

    def __init__(self, spec: Spec, job: Pretrain | Finetune) -> None:
        """Read nothing yet."""
        self._spec = spec
        self._job = job
        self._tables: dict[str, Table] = {}
        self._parts: dict[str, Part] = {}

    def __getitem__(self, split: str) -> Part:
        """Return the rows of a split.

        Raises:
            DataError: if there is no such split, or its files are missing or malformed.
        """
        if split not in self._parts:
            self._parts[split] = self._part(split)
        return self._parts[split]

    def _part(self, split: str) -> Part:
        file = self._file(split)
        if file not in self._tables:
            self._tables[file] = self._read(file)
        table = self._tables[file]
        wanted = np.ones(len(table.images), bool)
        if split in ("train", "validation") and self._share is not None:
            least = 2 if isinstance(self._job, Pretrain) else 1
            held = held_out(table.scene_of_image, self._share, self._job.seed, least=least)
            wanted = held if split == "validation" else ~held
        rows = np.flatnonzero(wanted[table.image_of_row])
        if split != "train":
            return Part(file=file, table=table, rows=rows)
        kept = rows[~self._selecting(table)[table.image_of_row[rows]]]
        if len(kept) == 0:
            raise DataError(
                f"no image is left for `{self._job.name}` to learn from: all are held out to "
                "select the best checkpoint, by this job or by those that start from it"
            )
        return Part(file=file, table=table, rows=kept, withheld=len(rows) - len(kept))

    def _selecting(self, table: Table) -> np.ndarray:
        """`[images]` bool: whether a job that starts from this one selects by an image."""
        later = [
            Parts(self._spec, job)["validation"]
            for name, job in self._spec.jobs.items()
            if isinstance(job, Finetune) and self._job.name in chain_of(self._spec.jobs, name)[1:]
        ]
        files = {file for part in later for file in part.files}
        if not files:
            return np.zeros(len(table.images), bool)
        return np.array([path in files for path in real_paths(table.paths)])

    def learned_from(self, split: str) -> dict[str, int]:
        """Count the images of a split that this job, or one that it starts from, learns from.

        Returns:
            How many, by name of the job; jobs that learn from none of them are left out.
        """
        files = set(self[split].files)
        found = {}
        for name in chain_of(self._spec.jobs, self._job.name):
            job = self._spec.training_job(name)
            parts = self if job is self._job else Parts(self._spec, job)
            count = len(files.intersection(parts["train"].files))
            if count:
                found[name] = count
        return found

    def _file(self, split: str) -> str:
        """Return which table a split is cut from."""
        if isinstance(self._job, Pretrain):
            _require(split, "pretraining", ("train", "validation"))
            return "train"
        task = self._job.task
        if isinstance(task, EasyVqa):
            _require(split, "easy_vqa", ("train", "validation", "test"))
            return "test" if split == "test" else "train"
        if split == "validation" and not isinstance(task.validation, Share):
            return task.validation
        return task.train if split in ("train", "validation") else split

    @property
    def _share(self) -> Share | None:
        """Share of the training images that are held out; None if validation has its own file."""
        holder = self._job.task if isinstance(self._job, Finetune) else self._job
        return holder.validation if isinstance(holder.validation, Share) else None

    def _read(self, file: str) -> Table:
        if isinstance(self._job, Finetune):
            return read_task(self._job.task, file)
        return join([read_pairs(self._spec.data[name], name) for name in self._job.data])


def read_pairs(pairs: FormatBlock, name: str) -> Table:
    """Read a data block of a spec; raises DataError."""
    source = Source(name=name, max_unreadable=pairs.max_unreadable)
    if isinstance(pairs, ImageCaption):
        return read_image_caption(source, pairs)
    if isinstance(pairs, EasyVqaPairs):
        return read_easy_vqa(
            source, pairs.root, pairs.split, caption=True, named=pairs.answers == "named"
        )
    return read_nlvr(source, pairs.root, pairs.split, true_only=True)


def read_task(task: TaskBlock, file: str) -> Table:
    """Read one file of a task's data, such as `test`; raises DataError."""
    source = Source(name=f"{task.task} {file}", max_unreadable=task.max_unreadable)
    if isinstance(task, EasyVqa):
        return read_easy_vqa(source, task.root, file)
    return read_nlvr(source, task.root, file)


def _require(split: str, what: str, there: tuple[str, ...]) -> None:
    if split not in there:
        raise DataError(f"{what} has no split `{split}`; it has {', '.join(there)}")
