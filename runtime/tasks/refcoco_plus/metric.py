"""See `referring_results`."""

from renaissance.runtime.tasks.referring_results import measure

__all__ = ["measure"]
