"""Why a job stopped, said to the person who started it."""


class JobError(Exception):
    """A job that cannot start or go on; the message is one sentence that says what to do."""


class UsageError(JobError):
    """A job that was asked for in a way that cannot be meant; nothing was done."""


class BusyError(UsageError):
    """A folder that another process is at work in."""


class CheckpointError(JobError):
    """A checkpoint that cannot be used; the message says what is wrong with it."""


class DamageError(CheckpointError):
    """A file of a run that is not what was written; the message names it."""


class FrozenChangedError(JobError):
    """Frozen tensors that are not what they were at the start; the message names them."""


class InterruptionError(Exception):
    """A job that a signal ended after a checkpoint was written.

    Attributes:
        signal: number of the signal.
    """

    def __init__(self, signal: int, message: str) -> None:
        """Keep the signal beside the sentence."""
        super().__init__(message)
        self.signal = signal
