"""Accuracy, of all rows and of each class."""

from renaissance.runtime.tasks.classification import by_class as measure

__all__ = ["measure"]
