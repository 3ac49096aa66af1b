"""Batches of steps and splits, assembled here or in worker processes."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from renaissance.compiler.batch import Batch
from renaissance.grammar.kinds.origins import failure_of_others
from renaissance.runtime.data.batches import Assembler
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.sampling import Order, micro_batches, shares
from renaissance.runtime.data.workers import (
    AHEAD,
    SHARED_MEMORY,
    allow_many_files,
    begin_worker,
    begun,
    end,
)

STRIDE = 1024
"""Texts of a split that are masked and paired together outside training."""
SETTLED, MUCH = 60.0, 0.25
"""Seconds after which waiting is judged, and the share of the time that is told."""
TORN = (ConnectionError, EOFError, FileNotFoundError)
"""What comes of taking a batch from a data process that goes away meanwhile."""
IN_WORKER = "in DataLoader worker process"
"""What torch adds to an error that a data process had itself."""
LOST = (
    "a data process was killed, perhaps for memory; run the same command again, with fewer "
    "`workers` if it happens again"
)
TIMED_OUT = "DataLoader timed out"
"""What torch says when no batch has come for some time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """What comes back from a worker process.

    Attributes:
        batches: the micro-batches of one step.
        unreadable: images that this process could not read so far, with reasons.
        error: why there are no batches; None where there are.
    """

    batches: tuple[Batch, ...]
    unreadable: dict[int, str]
    error: str | None = None

    def pin_memory(self) -> "Assembled":
        """Return the same with its batches pinned; the loader calls it where there is a GPU."""
        return replace(self, batches=tuple(batch.pin_memory() for batch in self.batches))


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps(Dataset[Assembled]):
    """The steps of a training run, each a pure function of its number.

    Attributes:
        assembler: makes the batches.
        order: which texts a step has.
        batch: texts of a global batch.
        micro_batch: most texts a forward pass on one rank; no limit if None.
        rank: number of this process.
        ranks: number of processes.
    """

    assembler: Assembler
    order: Order
    batch: int
    micro_batch: int | None
    rank: int
    ranks: int

    def __getitem__(self, step: int) -> Assembled:
        """Assemble the micro-batches of one step for this rank."""
        rows = self.order.batch(step, self.batch)
        corpus = self.assembler.split.corpus
        parts = micro_batches(
            corpus.tokens.lengths_of(rows),
            corpus.image_of_row[rows],
            self.rank,
            self.ranks,
            self.micro_batch,
        )
        return _assemble(self.assembler, rows, parts, "train", step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strides(Dataset[Assembled]):
    """A whole split from beginning to end.

    Masks and other images are fixed by the seed; they depend neither on `batch` nor on the number
    of ranks.

    Attributes:
        assembler: makes the batches.
        name: name of the split.
        batch: most texts of a batch.
        rank: number of this process; batches are dealt out in turn.
        ranks: number of processes.
        micro_batch: most texts of a pass, where a batch is cut into several; no limit if None.
    """

    assembler: Assembler
    name: str
    batch: int
    rank: int
    ranks: int
    micro_batch: int | None = None

    def __len__(self) -> int:
        """Return the number of strides."""
        return -(-len(self.assembler.split) // STRIDE)

    def __getitem__(self, stride: int) -> Assembled:
        """Assemble this rank's batches of one stride."""
        rows = self.assembler.split.rows[stride * STRIDE : (stride + 1) * STRIDE].astype(np.int64)
        cut = shares(len(rows), -(-len(rows) // self.batch))[self.rank :: self.ranks]
        parts: list[np.ndarray] = []
        last: list[bool] = []
        for share in cut:
            batch = np.arange(share.start, share.stop)
            passes = 1 if self.micro_batch is None else -(-len(batch) // self.micro_batch)
            parts += [batch[part] for part in shares(len(batch), passes)]
            last += [number == passes - 1 for number in range(passes)]
        assembled = _assemble(self.assembler, rows, parts, self.name, stride)
        if self.micro_batch is None:
            return assembled
        batches = zip(assembled.batches, last, strict=True)
        return replace(assembled, batches=tuple(replace(one, last=end) for one, end in batches))


def _assemble(
    assembler: Assembler, rows: np.ndarray, parts: Sequence[np.ndarray], purpose: str, step: int
) -> Assembled:
    unreadable = assembler.split.corpus.images.unreadable
    try:
        batches = assembler.batches(rows, parts, purpose=purpose, step=step)
    except DataError as problem:
        # As a value: an exception that crosses processes comes back with a traceback in its text.
        return Assembled(batches=(), unreadable=dict(unreadable.reasons), error=str(problem))
    except Exception as problem:
        others = failure_of_others(problem)
        if others is None:
            raise
        return Assembled(batches=(), unreadable=dict(unreadable.reasons), error=str(others))
    return Assembled(batches=batches, unreadable=dict(unreadable.reasons))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the batches of a job are read.

    Attributes:
        workers: processes that assemble ahead; none if 0.
        pinned: put batches into memory that a GPU copies from while it computes.
        tell: is told, in a sentence, what a person should know.
        patience: seconds without a batch after which somebody is told.
    """

    workers: int = 0
    pinned: bool = False
    tell: Callable[[str], None] = lambda sentence: None
    patience: float = 60.0


class Waiting:
    """Tells once if a GPU waits for data for much of its time.

    Args:
        reading: how data are read.
        clock: seconds.
    """

    def __init__(self, reading: Reading, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the clock."""
        self._reading, self._clock = reading, clock
        self._began, self._waited, self._told = clock(), 0.0, not reading.pinned

    def add(self, seconds: float) -> None:
        """Count the time that one step was waited for."""
        self._waited += seconds
        elapsed = self._clock() - self._began
        share = self._waited / max(elapsed, 1e-9)
        if self._told or elapsed < SETTLED or share < MUCH:
            return
        self._told = True
        self._reading.tell(
            f"{share:.0%} of the time goes by waiting for data, which {self._reading.workers} "
            "processes read: more `workers` on more cores, or smaller image files, would help"
        )


def assembled(
    dataset: Steps | Strides, numbers: Sequence[int], reading: Reading
) -> Iterator[tuple[Batch, ...]]:
    """Yield the batches of steps or strides in order.

    Args:
        dataset: what assembles them.
        numbers: which of them.
        reading: how.

    Raises:
        DataError: if the data do not allow to go on.
    """
    several: dict[str, Any] = {}
    if reading.workers:
        allow_many_files()
        several = {
            "worker_init_fn": partial(_begin, parent=os.getpid()),
            "prefetch_factor": AHEAD,
            "timeout": reading.patience,
        }
    loader = DataLoader(
        dataset,
        batch_size=None,
        sampler=numbers,
        num_workers=reading.workers,
        collate_fn=_as_it_is,
        pin_memory=reading.pinned,
        # The loader draws a seed for its workers, which must not come from the global generator.
        generator=torch.Generator(),
        **several,
    )
    unreadable = dataset.assembler.split.corpus.images.unreadable
    items, processes = begun(loader)
    waiting = Waiting(reading)
    try:
        while True:
            asked = time.monotonic()
            item = _next(items, reading)
            if item is None:
                return
            waiting.add(time.monotonic() - asked)
            if item.error is not None:
                raise DataError(item.error)
            for image, reason in item.unreadable.items():
                unreadable.add(image, reason)
            yield item.batches
    finally:
        end(items, processes)


def _next(items: Iterator[Assembled], reading: Reading) -> Assembled | None:
    """Return the next item, None at the end; a long time without one is told once."""
    told = False
    while True:
        try:
            return next(items, None)
        except (RuntimeError, *TORN) as problem:
            if TIMED_OUT not in str(problem):
                torn = isinstance(problem, TORN) and IN_WORKER not in str(problem)
                reason = LOST if torn and reading.workers else worker_lost(problem)
                if reason is None:
                    raise
                # As a value: an exception would keep the loader alive, which is to end now.
                return Assembled(batches=(), unreadable={}, error=reason)
        # The loader is as it was: asked again, it goes on to wait for the same item.
        if not told:
            reading.tell(
                f"no data process has given a batch for {reading.patience:,.0f} seconds; a file "
                "system that does not answer, or a process that was stopped, may be why"
            )
        told = True


def worker_lost(problem: BaseException) -> str | None:
    """Say in a sentence that a data process has gone; None if an error means something else.

    torch raises where it waits for a batch, and from a signal wherever Python happens to be.
    """
    text = str(problem)
    if not isinstance(problem, RuntimeError) or "DataLoader worker" not in text:
        return None
    if "shared memory" in text or "Bus error" in text:
        return (
            f"the shared memory of this machine, `{SHARED_MEMORY}`, is full; give it more room "
            "(`--shm-size` of docker), or lower `workers`, and run the same command again"
        )
    if not any(word in text for word in ("exited unexpectedly", "killed by signal")):
        return None
    return LOST


def _begin(worker: int, parent: int) -> None:
    begin_worker(parent)


def _as_it_is(item: Any) -> Any:
    return item
