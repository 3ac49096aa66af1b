"""Bringing batches to the device: to a GPU while it computes, one pass of the model ahead."""

from collections.abc import Iterator, Sequence

import torch

from renaissance.compiler.batch import Batch


class Mover:
    """Copies batches to a device.

    On a GPU a stream of its own does so: what `begin` was told is copied while the device computes,
    if it lies in pinned memory. Elsewhere nothing is done ahead.

    Args:
        device: where batches go.
    """

    def __init__(self, device: torch.device) -> None:
        """Make the stream."""
        self._device = device
        self._stream: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._begun: tuple[Batch, Batch] | None = None

    @property
    def ahead(self) -> bool:
        """Whether `begin` does anything."""
        return self._stream is not None

    def begin(self, batch: Batch | None) -> None:
        """Start to copy the batch that will be asked for next."""
        if self._stream is None or batch is None:
            return
        with torch.cuda.stream(self._stream):
            self._begun = batch, batch.to(self._device)

    def __call__(self, batch: Batch) -> Batch:
        """Return a batch on the device; what is computed there next may use it."""
        if self._stream is None:
            return batch.to(self._device)
        if self._begun is None or self._begun[0] is not batch:
            self.begin(batch)
        assert self._begun is not None
        moved, self._begun = self._begun[1], None
        computing = torch.cuda.current_stream(self._device)
        computing.wait_stream(self._stream)
        # The memory belongs to the other stream, which must not use it anew too early.
        moved.record_stream(computing)
        return moved


def with_following(
    steps: Iterator[tuple[Batch, ...]], ahead: bool
) -> Iterator[tuple[tuple[Batch, ...], Batch | None]]:
    """Yield the batches of each step, and the first batch of the next one if it is asked for.

    Args:
        steps: batches of one step after the other.
        ahead: take a step more than was yielded; otherwise nothing is known of the next one.
    """
    if not ahead:
        for batches in steps:
            yield batches, None
        return
    current = next(steps, None)
    while current is not None:
        following = next(steps, None)
        yield current, following[0] if following else None
        current = following


def moved_with_following(
    mover: Mover, batches: Sequence[Batch], last: Batch | None
) -> Iterator[Batch]:
    """Yield batches on the device; the one behind each is on its way before it is yielded.

    Args:
        mover: to the device.
        batches: of one step.
        last: what comes behind them, if that is known.
    """
    for batch, following in zip(batches, (*batches[1:], last), strict=True):
        moved = mover(batch)
        mover.begin(following)
        yield moved


def moved(batches: Iterator[Batch], device: torch.device) -> Iterator[tuple[Batch, Batch]]:
    """Yield each batch as it is, and on the device."""
    mover = Mover(device)
    for one, following in with_following(((batch,) for batch in batches), mover.ahead):
        for on_device in moved_with_following(mover, one, following):
            yield one[0], on_device
