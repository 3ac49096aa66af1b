"""See `referring_results`."""

from renaissance.runtime.tasks.referring_results import write

__all__ = ["write"]
