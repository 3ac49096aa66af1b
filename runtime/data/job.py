"""The data of one job: splits, answers, tokenizer, and batches for every step."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from renaissance.compiler.batch import Batch, Texts
from renaissance.compiler.expected import Shape, distinct_images, expected_of, hidden_images
from renaissance.compiler.heads import kinds_of
from renaissance.grammar.anatomy.patches import grid_of
from renaissance.grammar.kinds.registry import optional_facet
from renaissance.grammar.schema.jobs import Finetune
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.data.batches import Asked, Assembler
from renaissance.runtime.data.corpora import Corpora
from renaissance.runtime.data.corpus import Split
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.images import room_for_images
from renaissance.runtime.data.job_tokenizer import job_tokenizer
from renaissance.runtime.data.loader import Reading, Steps, Strides, assembled
from renaissance.runtime.data.part import Part
from renaissance.runtime.data.parts import Parts, measured_only
from renaissance.runtime.data.rows import OneARow, maker_of
from renaissance.runtime.data.sampling import Order
from renaissance.runtime.data.streams import (
    ImageNeeds,
    image_needs,
    text_needs,
    vision_needs,
)
from renaissance.runtime.data.table import SECOND
from renaissance.runtime.data.targets import Targets
from renaissance.runtime.data.text_rows import plain_texts
from renaissance.runtime.data.tokenizer import Tokenizer
from renaissance.runtime.data.tokens import Tokens
from renaissance.runtime.data.wanted import Context
from renaissance.runtime.data.workers import workers_of
from renaissance.runtime.feature_cache.known import KnownImages, KnownTexts


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One text for a report.

    Attributes:
        image_paths: files of its images.
        text: the text.
        answer: its answer; None where there is none.
    """

    image_paths: tuple[str, ...]
    text: str
    answer: str | None

    @property
    def image_path(self) -> str:
        """File of its image, or of the first of them."""
        return self.image_paths[0]


class JobData:
    """All data of one training job, and of evaluations of it.

    The files of a split are read when it is first asked for; images when a batch needs them.

    Attributes:
        tokenizer: from texts to tokens.
        answers: the task's answers, sorted; empty for pretraining.
    """

    def __init__(self, spec: Spec, job_name: str, tokenizer: Tokenizer | None = None) -> None:
        """Read the training split of a job that learns; see `job_data`."""
        self._job = spec.data_job(job_name)
        model = spec.model_of(job_name)
        self._model = model
        self._kinds = kinds_of(self._job)
        classes = max(getattr(kind, "region_classes", 0) for kind in self._kinds.values())
        self._text, self._shown = text_needs(model), vision_needs(model, classes)
        self._parts = Parts(spec, self._job)
        room = room_for_images()
        self._reading: Reading | None = None
        self._known_texts: KnownTexts | None = None
        self._grid = max((grid_of(model.streams[name]) or 0 for name in model.vision), default=0)
        self.answers: tuple[str, ...] = ()
        if isinstance(self._job, Finetune):
            self.answers = self._parts.answers(measured_only(spec, job_name))
        self.tokenizer = tokenizer or job_tokenizer(spec, job_name, self._parts)
        if self._text.rows is not None:
            self.tokenizer.check_fits(self._text.rows, f"`{self._text.tokenizer}`")
        self._corpora = Corpora(
            self._job,
            self._parts,
            self.tokenizer,
            self.answers,
            text=self._text,
            shown=self._shown,
            room=room,
        )
        for kind in self._kinds.values():
            check = getattr(optional_facet(kind, "items"), "check", None)
            if check is not None:
                check(kind, self.tokenizer, job_name)
        if measured_only(spec, job_name) is None:
            _ = self._order  # what is wrong with it is said at once

    @cached_property
    def _order(self) -> Order:
        """In which order its texts are learned from."""
        train = self._parts["train"]
        return Order(
            train.rows,
            train.table.image_of_row[train.rows],
            texts_per_image=self._job.texts_per_image,
            seed=self._job.seed,
            weights=train.weights,
        )

    def use_grid(self, grid: int) -> None:
        """Let images have so many patches along one side, where only their encoder knows."""
        self._grid = self._grid or grid

    def use_features(self, images: KnownImages | None, texts: KnownTexts | None) -> None:
        """Let batches hold features of images and of texts where there are some, from now on."""
        self._known_texts = texts
        self._corpora.use_features(images)

    def read_for(self, device: torch.device, tell: Callable[[str], None]) -> None:
        """Say for what device batches are read, and who is told what a person should know."""
        wanted, processes = self._job.workers, int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        workers = workers_of(wanted, device, processes, self._step_bytes())
        pinned = device.type == "cuda"
        self._reading = Reading(workers=workers, pinned=pinned, tell=tell)
        if pinned and wanted == "auto":
            tell(
                f"{workers} processes read data"
                if workers
                else "data are read by the training process, so that the GPU will wait for them: "
                "there is no core, or no room in `/dev/shm`, for other processes"
            )

    def _step_bytes(self) -> int:
        """Return about how large the batches of a step are: twice the images of its texts."""
        job, ranks = self._job, int(os.environ.get("WORLD_SIZE", "1"))
        rows = -(-job.batch // ranks)
        shape = self._shape(rows)
        asked = expected_of(self._kinds, shape).values()
        images = distinct_images(asked, shape) + hidden_images(asked)
        return 2 * images * sum(one.needs.nbytes for one in self._shown.values())

    def _shape(self, rows: int) -> Shape:
        return Shape(
            rows=rows,
            tokens=1,
            images=rows,
            others=0,
            images_a_pair=self._model.images_a_pair,
            patches=self._grid**2,
        )

    @property
    def _how(self) -> Reading:
        """How batches are read; for a CPU if nobody has said what device they are for."""
        if self._reading is None:
            self.read_for(torch.device("cpu"), lambda sentence: None)
        assert self._reading is not None
        return self._reading

    @property
    def image_needs(self) -> ImageNeeds:
        """What the first stream reads that reads pixels; DataError if there is none."""
        return image_needs(self._model)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch, after which every text was seen that weighs 1 or more."""
        return math.ceil(len(self._order) / self._job.batch)

    @property
    def total_steps(self) -> int:
        """Steps of the whole run."""
        if self._job.steps is not None:
            return self._job.steps
        if self._job.epochs is None:
            raise DataError(f"job `{self._job.name}` says neither `steps` nor `epochs`")
        return math.ceil(self._job.epochs * len(self._order) / self._job.batch)

    @property
    def unreadable(self) -> tuple[tuple[str, str], ...]:
        """Path and reason of every image that was skipped so far."""
        return tuple(entry for corpus in self._corpora.read for entry in corpus.images.unreadable)

    def part(self, split: str) -> Part:
        """Return the rows of a split; its length is the number of texts.

        Raises:
            DataError: if there is no such split, or its files are missing or malformed.
        """
        return self._parts[split]

    def learned_from(self, split: str) -> dict[str, int]:
        """Count the images of a split that training has seen, by name of the job; if any."""
        return self._parts.learned_from(split)

    @property
    def digests(self) -> dict[str, str]:
        """Names what there is to learn from and what is held out, to tell whether it changes."""
        return {split: self.part(split).digest for split in ("train", "validation")}

    def mean_tokens(self, split: str) -> int:
        """Return the mean number of tokens of the texts of a split, rounded, 1 at least."""
        chosen = self._corpora[split]
        if len(chosen) == 0:
            return 1
        return max(round(float(chosen.corpus.tokens.lengths_of(chosen.rows).mean())), 1)

    def targets(self, split: str) -> Targets | None:
        """Return what is right for each row of a split's table; None where nobody knows."""
        return self._corpora[split].corpus.targets

    def impossible(self, split: str) -> int:
        """Count the rows of a split that no answer is right for, none that training has seen."""
        part, targets = self.part(split), self.targets(split)
        if targets is None:
            return 0
        return targets.impossible(part.rows[part.table.labelled[part.rows]])

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
            assembler=self._assembler("train", training=True),
            order=self._order,
            batch=self._job.batch,
            micro_batch=self._job.micro_batch,
            rank=rank,
            ranks=ranks,
        )
        return assembled(steps, range(first_step, self.total_steps), self._how)

    def rows(self, step: int) -> tuple[int, ...]:
        """Return the texts of a step's global batch, as `sample` of `train` takes them."""
        return tuple(self._order.batch(step, self._job.batch).tolist())

    def validation(self, rank: int, ranks: int) -> Iterator[Batch]:
        """Yield this rank's batches of the split that selects the best checkpoint."""
        batch, micro_batch = self._job.batch, self._job.micro_batch
        if not self.compares:
            return self.split("validation", micro_batch or batch, rank, ranks)
        return self.split("validation", batch, rank, ranks, micro_batch=micro_batch)

    @property
    def compares(self) -> bool:
        """Whether rows of a batch are compared with each other."""
        return any(getattr(kind, "scope", "item") != "item" for kind in self._kinds.values())

    def split(
        self, name: str, batch: int, rank: int, ranks: int, *, micro_batch: int | None = None
    ) -> Iterator[Batch]:
        """Yield this rank's batches of a split, in a fixed order.

        Args:
            name: `train`, `validation` or another part of the task's data, such as `test`.
            batch: most texts of a batch.
            rank: number of this process; ranks take batches in turn.
            ranks: number of processes.
            micro_batch: most texts of a pass, where batches are to be cut; no limit if None.

        Raises:
            DataError: if there is no such split or too many of its images cannot be read.
        """
        if len(self.part(name)) == 0:
            return
        strides = Strides(
            assembler=self._assembler(name, training=False),
            name=name,
            batch=batch,
            rank=rank,
            ranks=ranks,
            micro_batch=micro_batch,
        )
        for batches in assembled(strides, range(len(strides)), self._how):
            yield from batches

    def tokens(self, split: str) -> Tokens:
        """Return the tokens of all texts of a split's table."""
        return self._corpora[split].corpus.tokens

    def plain_texts(self, split: str, rows: np.ndarray) -> tuple[Texts, np.ndarray]:
        """Return texts by their rows `[n]` in the split's table, without images.

        Returns:
            The texts, and `[n]` int64, which of them each row has.
        """
        return self._assembler(split, training=False).plain_texts(rows)

    def texts(self, texts: Sequence[str]) -> Texts:
        """Return texts that are none of the data, as a model reads them."""
        tokens = self._corpora.tokens(texts)
        return plain_texts(tokens.padded(np.arange(len(tokens)), self.tokenizer.pad_id))

    def spelled(self, texts: Sequence[str]) -> tuple[bytes, ...]:
        """Return the tokens of texts, which are the same where a model cannot tell them apart."""
        tokens = self._corpora.tokens(texts)
        return tuple(tokens.of(row).tobytes() for row in range(len(tokens)))

    def with_images(
        self, split: str, rows: np.ndarray, batch: int, rank: int, ranks: int
    ) -> Iterator[Batch]:
        """Yield this rank's batches of some rows `[n]` of a split, each with its own image."""
        chosen = Split(corpus=self._corpora[split].corpus, rows=rows)
        assembler = self._assembler(split, training=False)
        context = Context(
            split=chosen,
            tokenizer=self.tokenizer,
            seed=self._job.seed,
            training=False,
            images_a_pair=self._model.images_a_pair,
        )
        makers = dict.fromkeys(assembler.makers, OneARow(context=context))
        strides = Strides(
            assembler=replace(assembler, split=chosen, makers=makers),
            name=split,
            batch=batch,
            rank=rank,
            ranks=ranks,
        )
        for batches in assembled(strides, range(len(strides)), self._how):
            yield from batches

    def asked(self, split: str, most: int) -> Asked:
        """Return a batch of rows of a split, evenly over it, with what it is made from."""
        rows = self._corpora[split].rows
        count = min(len(rows), most)
        chosen = rows[np.arange(count) * len(rows) // max(count, 1)].astype(np.int64)
        return self._assembler(split, training=False).asked(chosen, purpose=split)

    def path(self, split: str, image: int) -> str:
        """Return the path of an image by its number in a split's table."""
        return str(self.part(split).table.path(image))

    def sample(self, split: str, index: int) -> Sample:
        """Return a text of a split by its number in the split's table."""
        table = self.part(split).table
        row = table.rows[int(index)]
        return Sample(
            image_paths=table.paths_of(int(index)),
            text=" / ".join(filter(None, (row["text"], row.get(SECOND)))),
            answer=row.get("answer"),
        )

    def _assembler(self, name: str, *, training: bool) -> Assembler:
        split, job = self._corpora[name], self._job
        context = Context(
            split=split,
            tokenizer=self.tokenizer,
            seed=job.seed,
            training=training,
            images_a_pair=self._model.images_a_pair,
            grid=self._grid,
        )
        # Those that change texts come first, as their texts do.
        order = expected_of(self._kinds, self._shape(1))
        return Assembler(
            split=split,
            makers={name: maker_of(self._kinds[name], context) for name in order},
            pad_id=self.tokenizer.pad_id,
            augment=job.augment if training else (),
            seed=job.seed,
            replace=training or not isinstance(job, Finetune),
            known=self._known_texts,
        )


def job_data(spec: Spec, job_name: str, tokenizer: Tokenizer | None = None) -> JobData:
    """Return the data of a job.

    Args:
        spec: the whole experiment.
        job_name: a training job, or an evaluation, which has the data of the job it measures.
        tokenizer: the one to use. If None it is the text stream's own, or it is learned from the
            texts of the first job in the chain of sources that has words, which gives the same
            pieces each time.

    Raises:
        DataError: if something is missing or malformed.
    """
    return JobData(spec, job_name, tokenizer)
