"""Accuracy, of all rows and of each class."""

from renaissance.runtime.tasks.classification import by_class as measure
from renaissance.runtime.tasks.classification import by_row_and_class as by_row

__all__ = ["by_row", "measure"]
