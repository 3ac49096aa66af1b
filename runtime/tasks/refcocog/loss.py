"""See `referring_items`."""

from renaissance.runtime.tasks.referring_items import loss

__all__ = ["loss"]
