"""See `referring_results`."""

from renaissance.runtime.tasks.referring_results import parse, write

__all__ = ["parse", "write"]
