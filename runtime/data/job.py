"""The data of one job: splits, answers, tokenizer, and batches for every step."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from renaissance.grammar.schema.data import EasyVqa, EasyVqaPairs, ImageCaption, Pairs, Task
from renaissance.grammar.schema.declaration import Share
from renaissance.grammar.schema.jobs import Finetune, Itm, Mlm, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.schema.streams import Patches, PlainText, PlainVision, Stream, modality
from renaissance.runtime.data.assembly import (
    Appearance,
    Assembler,
    Batch,
    PretrainAssembler,
    TaskAssembler,
)
from renaissance.runtime.data.corpus import Corpus, Split
from renaissance.runtime.data.easy_vqa import read_easy_vqa
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.image_caption import read_image_caption
from renaissance.runtime.data.images import Images
from renaissance.runtime.data.loader import Steps, Strides, assembled
from renaissance.runtime.data.nlvr import read_nlvr
from renaissance.runtime.data.sampling import Order, held_out
from renaissance.runtime.data.table import Source, Table, join
from renaissance.runtime.data.tokenizer import Tokenizer

UNKNOWN_ANSWER = -100
"""Label of an answer that training never saw: no prediction equals it, and torch's cross-entropy
leaves it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One text for a report.

    Attributes:
        image_path: file of its image.
        text: the text.
        answer: its answer; None for pairs without one.
    """

    image_path: str
    text: str
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Where the texts of a split are.

    Attributes:
        table: the whole table.
        rows: `[texts]` int64, the rows of the table that belong to the split.
    """

    table: Table
    rows: np.ndarray


class JobData:
    """All data of one training job, and of evaluations of it.

    Files are read and texts are tokenised when a split is first asked for.

    Attributes:
        tokenizer: from texts to tokens.
        answers: the task's answers, sorted; empty for pretraining.
    """

    def __init__(self, spec: Spec, job_name: str, tokenizer: Tokenizer | None = None) -> None:
        """Prepare the training split; see `job_data`."""
        self._job = spec.training_job(job_name)
        model = spec.model_of(job_name)
        self._text, self._vision = _stream(model, "text"), _stream(model, "vision")
        self._tables: dict[str, Table] = {}
        self._corpora: dict[str, Corpus] = {}
        self._splits: dict[str, Split] = {}
        self._parts = _Parts(spec, self._job)
        train = self._parts.part("train")
        self.answers: tuple[str, ...] = ()
        if isinstance(self._job, Finetune):
            every = train.table.answers()
            self.answers = tuple(sorted({every[row] for row in train.rows.tolist()}))
        self.tokenizer = tokenizer or _tokenizer(spec, self._job, self._text)
        objectives = {o.objective: o for o in getattr(self._job, "objectives", ())}
        self._mlm: Mlm | None = objectives.get("mlm")
        self._itm: Itm | None = objectives.get("itm")
        if self._mlm is not None and self.tokenizer.mask_id is None:
            raise DataError("the tokenizer has no mask token, which the objective `mlm` needs")
        self._order = Order(
            train.rows,
            train.table.image_of_row[train.rows],
            texts_per_image=self._job.texts_per_image,
            seed=self._job.seed,
        )

    @property
    def steps_per_epoch(self) -> int:
        """Steps after which every text was seen at least once."""
        return math.ceil(self.texts("train") / self._job.batch)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        if self._job.steps is not None:
            return self._job.steps
        if self._job.epochs is None:
            raise DataError(f"job `{self._job.name}` says neither `steps` nor `epochs`")
        return math.ceil(self._job.epochs * self.texts("train") / self._job.batch)

    @property
    def unreadable(self) -> tuple[tuple[str, str], ...]:
        """Path and reason of every image that was skipped so far."""
        return tuple(
            entry for corpus in self._corpora.values() for entry in corpus.images.unreadable
        )

    def texts(self, split: str) -> int:
        """Return how many texts a split has."""
        return len(self._parts.part(split).rows)

    def images(self, split: str) -> int:
        """Return how many images a split has."""
        part = self._parts.part(split)
        return len(np.unique(part.table.image_of_row[part.rows]))

    def unknown_answers(self, split: str) -> Counter[str]:
        """Count the answers of a split that training never saw; each is counted as wrong."""
        part = self._parts.part(split)
        answers = part.table.answers()
        known = set(self.answers)
        return Counter(answers[r] for r in part.rows.tolist() if answers[r] not in known)

    def train(self, first_step: int, rank: int, ranks: int) -> Iterator[tuple[Batch, ...]]:
        """Yield the micro-batches of one rank, a tuple a step, from `first_step` to the last step.

        Steps are counted from 0; what a step holds depends on the spec and on its number alone.

        Raises:
            DataError: if too many images cannot be read, or there are more ranks than texts.
        """
        if ranks > self._job.batch:
            raise DataError(
                f"job `{self._job.name}` has {self._job.batch} texts a step, "
                f"too few for {ranks} processes"
            )
        steps = Steps(
            assembler=self._assembler("train", replace=True),
            order=self._order,
            batch=self._job.batch,
            micro_batch=self._job.micro_batch,
            rank=rank,
            ranks=ranks,
        )
        return assembled(steps, range(first_step, self.total_steps), self._job.workers)

    def validation(self, rank: int, ranks: int) -> Iterator[Batch]:
        """Yield this rank's batches of the split that selects the best checkpoint."""
        return self.split("validation", self._job.micro_batch or self._job.batch, rank, ranks)

    def split(self, name: str, batch: int, rank: int, ranks: int) -> Iterator[Batch]:
        """Yield this rank's batches of a split, in a fixed order.

        Args:
            name: `train`, `validation` or another part of the task's data, such as `test`.
            batch: most texts of a batch.
            rank: number of this process; ranks take batches in turn.
            ranks: number of processes.

        Raises:
            DataError: if there is no such split or too many of its images cannot be read.
        """
        if self.texts(name) == 0:
            return
        strides = Strides(
            assembler=self._assembler(name, replace=False),
            name=name,
            batch=batch,
            rank=rank,
            ranks=ranks,
        )
        for batches in assembled(strides, range(len(strides)), self._job.workers):
            yield from batches

    def sample(self, split: str, index: int) -> Sample:
        """Return a text of a split by its number in the split's table (`TaskBatch.samples`)."""
        table = self._parts.part(split).table
        row = table.rows[int(index)]
        return Sample(
            image_path=table.path(row["image"]), text=row["text"], answer=row.get("answer")
        )

    def _assembler(self, name: str, *, replace: bool) -> Assembler:
        split, job = self._split(name), self._job
        mean, std = _normalisation(self._vision)
        appearance = Appearance(mean=mean, std=std, augment=job.augment if replace else "none")
        if isinstance(job, Finetune):
            return TaskAssembler(
                split=split,
                pad_id=self.tokenizer.pad_id,
                appearance=appearance,
                seed=job.seed,
                replace=replace,
            )
        return PretrainAssembler(
            split=split,
            tokenizer=self.tokenizer,
            appearance=appearance,
            seed=job.seed,
            mlm=self._mlm,
            itm=self._itm,
        )

    def _split(self, name: str) -> Split:
        if name not in self._splits:
            part = self._parts.part(name)
            corpus = self._corpora.get(self._parts.file(name))
            if corpus is None:
                corpus = self._corpora[self._parts.file(name)] = self._corpus(part.table)
            self._splits[name] = Split(corpus=corpus, rows=part.rows)
        return self._splits[name]

    def _corpus(self, table: Table) -> Corpus:
        labels = None
        if self.answers:
            numbers = {answer: number for number, answer in enumerate(self.answers)}
            labels = np.array([numbers.get(a, UNKNOWN_ANSWER) for a in table.answers()], np.int64)
        texts = (text for chunk in table.texts.chunks for text in chunk.to_pylist())
        return Corpus(
            table=table,
            tokens=self.tokenizer.encode(texts, self._text.max_tokens),
            images=Images(table, self._vision.image_size, self._vision.resize),
            image_of_row=table.image_of_row,
            labels=labels,
        )


class _Parts:
    """Which rows of which table make up each split of a job. Tables are read once."""

    def __init__(self, spec: Spec, job: Pretrain | Finetune) -> None:
        self._spec = spec
        self._job = job
        self._tables: dict[str, Table] = {}

    def file(self, split: str) -> str:
        """Return which table a split is cut from."""
        task = getattr(self._job, "task", None)
        if task is None:
            if split not in ("train", "validation"):
                raise DataError(f"pretraining has no split `{split}`; it has train, validation")
            return "train"
        if isinstance(task, EasyVqa):
            if split not in ("train", "validation", "test"):
                raise DataError(f"easy_vqa has no split `{split}`; it has train, validation, test")
            return "test" if split == "test" else "train"
        if split == "validation" and isinstance(task.validation, str):
            return task.validation
        return task.train if split in ("train", "validation") else split

    def part(self, split: str) -> Part:
        """Return the rows of a split."""
        name = self.file(split)
        if name not in self._tables:
            self._tables[name] = self._read(name)
        table = self._tables[name]
        share = self._share
        if split not in ("train", "validation") or share is None:
            return Part(table=table, rows=np.arange(len(table)))
        held = held_out(table.scene_of_image, share, self._job.seed)[table.image_of_row]
        return Part(table=table, rows=np.flatnonzero(held if split == "validation" else ~held))

    @property
    def _share(self) -> float | None:
        """Share of the training images that are held out; None if validation has its own file."""
        holder = self._job.task if isinstance(self._job, Finetune) else self._job
        return holder.validation if isinstance(holder.validation, Share) else None

    def _read(self, name: str) -> Table:
        if isinstance(self._job, Finetune):
            return read_task(self._job.task, name)
        return join([read_pairs(self._spec.data[block], block) for block in self._job.data])


def read_pairs(pairs: Pairs, name: str) -> Table:
    """Read a data block of a spec; raises DataError."""
    source = Source(name=name, max_unreadable=pairs.max_unreadable)
    if isinstance(pairs, ImageCaption):
        return read_image_caption(source, pairs)
    if isinstance(pairs, EasyVqaPairs):
        return read_easy_vqa(source, pairs.root, pairs.split, caption=True)
    return read_nlvr(source, pairs.root, pairs.split, true_only=True)


def read_task(task: Task, part: str) -> Table:
    """Read one file of a task's data, such as `test`; raises DataError."""
    source = Source(name=f"{task.task} {part}", max_unreadable=task.max_unreadable)
    if isinstance(task, EasyVqa):
        return read_easy_vqa(source, task.root, part)
    return read_nlvr(source, task.root, part)


def job_data(spec: Spec, job_name: str, tokenizer: Tokenizer | None = None) -> JobData:
    """Return the data of a job.

    Args:
        spec: the whole experiment.
        job_name: a training job, or an evaluation, which has the data of the job it measures.
        tokenizer: the one to use. If None it is the text stream's own, or it is learned from the
            texts of the first job in the chain of sources, which gives the same pieces each time.

    Raises:
        DataError: if something is missing or malformed.
    """
    return JobData(spec, job_name, tokenizer)


def _tokenizer(spec: Spec, job: Pretrain | Finetune, stream: Stream) -> Tokenizer:
    name = getattr(stream, "id", None)
    if name is not None:
        return Tokenizer.pretrained(name, getattr(stream, "revision", "main"))
    while isinstance(job, Finetune) and job.source is not None:
        job = spec.training_job(job.source)
    train = _Parts(spec, job).part("train")
    texts = train.table.texts.take(train.rows).to_pylist()
    vocabulary = stream.vocabulary or PlainText.model_fields["vocabulary"].default
    return Tokenizer.learned(texts, vocabulary)


def _stream(model: Model, kind: str) -> Stream:
    for stream in model.streams.values():
        if modality(stream) == kind:
            return stream
    raise DataError(f"model `{model.name}` has no {kind} stream, which the data have")


def _normalisation(stream: Stream) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if isinstance(stream, PlainVision | Patches):
        return (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    from renaissance.compiler.backbones import normalisation

    return normalisation(stream)
