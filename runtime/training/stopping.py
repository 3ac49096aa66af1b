"""The event of a stop that a signal asked for."""

from typing import NoReturn

from renaissance.runtime.errors import InterruptionError
from renaissance.runtime.training.progress import Progress
from renaissance.runtime.training.saving import save
from renaissance.runtime.training.training import Training


def stop(training: Training, progress: Progress) -> NoReturn:
    """Write a checkpoint and end.

    Raises:
        InterruptionError: always.
    """
    save(training, progress)
    raise InterruptionError(
        training.session.request.signal,
        f"job `{training.session.name}` was stopped after step {progress.step} of "
        f"{training.total_steps}; run the same command again to go on",
    )
