"""See `referring`."""

from renaissance.runtime.tasks.referring import answers, boxes, read, targets

__all__ = ["answers", "boxes", "read", "targets"]
