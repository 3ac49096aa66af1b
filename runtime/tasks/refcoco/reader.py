"""See `referring`."""

from renaissance.runtime.tasks.referring import answers, read, targets

__all__ = ["answers", "read", "targets"]
