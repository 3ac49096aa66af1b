"""An item a row; see `tabular_items`."""

from renaissance.runtime.tasks.tabular_items import expected

__all__ = ["expected"]
