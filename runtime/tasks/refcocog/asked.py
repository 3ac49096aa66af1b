"""See `referring_asked`."""

from renaissance.runtime.tasks.referring_asked import COLUMNS, check, complete

__all__ = ["COLUMNS", "check", "complete"]
