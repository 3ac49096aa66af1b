"""Batches of steps and splits, assembled here or in worker processes."""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from renaissance.runtime.data.assembly import Assembler, Batch
from renaissance.runtime.data.errors import DataError
from renaissance.runtime.data.sampling import Order, micro_batches, shares
from renaissance.runtime.signals import STOPPING

STRIDE = 1024
"""Texts of a split that are masked and paired together outside training."""


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
    """

    assembler: Assembler
    name: str
    batch: int
    rank: int
    ranks: int

    def __len__(self) -> int:
        """Return the number of strides."""
        return -(-len(self.assembler.split) // STRIDE)

    def __getitem__(self, stride: int) -> Assembled:
        """Assemble this rank's batches of one stride."""
        rows = self.assembler.split.rows[stride * STRIDE : (stride + 1) * STRIDE]
        cut = shares(len(rows), -(-len(rows) // self.batch))[self.rank :: self.ranks]
        parts = [np.arange(share.start, share.stop) for share in cut]
        return _assemble(self.assembler, rows, parts, self.name, stride)


def _assemble(
    assembler: Assembler, rows: np.ndarray, parts: Sequence[np.ndarray], purpose: str, step: int
) -> Assembled:
    unreadable = assembler.split.corpus.images.unreadable
    try:
        batches = assembler.batches(rows, parts, purpose=purpose, step=step)
    except DataError as problem:
        # As a value: an exception that crosses processes comes back with a traceback in its text.
        return Assembled(batches=(), unreadable=dict(unreadable.reasons), error=str(problem))
    return Assembled(batches=batches, unreadable=dict(unreadable.reasons))


def assembled(
    dataset: Steps | Strides, numbers: Sequence[int], workers: int
) -> Iterator[tuple[Batch, ...]]:
    """Yield the batches of steps or strides in order.

    Args:
        dataset: what assembles them.
        numbers: which of them.
        workers: processes that assemble ahead; none if 0.

    Raises:
        DataError: if the data do not allow to go on.
    """
    loader = DataLoader(
        dataset,
        batch_size=None,
        sampler=numbers,
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=_leave_signals_to_the_parent,
        # The loader draws a seed for its workers, which must not come from the global generator.
        generator=torch.Generator(),
    )
    unreadable = dataset.assembler.split.corpus.images.unreadable
    for item in loader:
        if item.error is not None:
            raise DataError(item.error)
        for image, reason in item.unreadable.items():
            unreadable.add(image, reason)
        yield item.batches


def _leave_signals_to_the_parent(worker: int) -> None:
    """Let a worker go on when its group is interrupted: the parent still needs it to finish."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def _as_it_is(item: Any) -> Any:
    return item
