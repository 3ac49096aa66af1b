"""See `referring_items`."""

from renaissance.runtime.tasks.referring_items import expected, prepare

__all__ = ["expected", "prepare"]
