"""How to get it."""

from renaissance.runtime.tasks.cifar_how import how

__all__ = ["how"]
