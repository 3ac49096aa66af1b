"""What makes tests quick. Imported first by pytest, and by the process that others are forked from.

Nothing waits for the disk: what tests write need not outlive a power failure. Nothing looks for
garbage while libraries are imported, which is a third of the time that this takes.
"""

import gc
import os


def written(handle: int) -> None:
    """Return at once, where `os.fsync` waits for the disk some dozens of times in a training."""


os.fsync = written
gc.disable()


def imported() -> None:
    """Look for garbage from now on, but not among what is there."""
    gc.freeze()
    gc.enable()
