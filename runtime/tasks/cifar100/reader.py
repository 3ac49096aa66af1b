"""CIFAR-100; see `cifar_reader`."""

from renaissance.runtime.tasks.cifar_reader import answers, read
from renaissance.runtime.tasks.classification import targets

__all__ = ["answers", "read", "targets"]
