"""Signals that ask a job to stop, remembered until it is safe to do so."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
"""Schedulers send USR1 some time before the end of what they gave."""


class StopRequest:
    """Whether someone asked the job to stop.

    Attributes:
        signal: number of the signal that asked; 0 if nobody did.
    """

    def __init__(self) -> None:
        """Start with no request."""
        self.signal = 0

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Remember a signal; a second interrupt from the keyboard ends the process at once."""
        if self.signal == signal.SIGINT and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number


class Stopped(KeyboardInterrupt):
    """A signal that ends what has no checkpoint to write.

    Attributes:
        signal: its number.
    """

    def __init__(self, number: int) -> None:
        """Keep the number."""
        super().__init__()
        self.signal = number


@contextmanager
def stopped_at_once() -> Iterator[None]:
    """Raise `Stopped` where a signal asks to stop while no job listens."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(number)

    before = {}
    try:
        for number in STOPPING:
            before[number] = signal.signal(number, stop)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Listen for signals while a job runs; elsewhere than in the main thread none can be heard."""
    request = StopRequest()
    before = {}
    try:
        for number in STOPPING:
            before[number] = signal.signal(number, request.receive)
    except ValueError:  # not the main thread
        yield request
        return
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
