"""Keys of the task `cifar100`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.runtime.tasks.cifar import CifarTask


class Cifar100(CifarTask):
    """Which of 100 classes does an image of 32 by 32 pixels show? Source: Krizhevsky 2009."""

    outputs: ClassVar[int] = 100
    batches: ClassVar[str] = "cifar-100-python"
    files: ClassVar[Mapping[str, tuple[str, ...]]] = {"train": ("train",), "test": ("test",)}
    names: ClassVar[tuple[str, str]] = ("meta", "fine_label_names")
    labels: ClassVar[str] = "fine_labels"

    task: Literal["cifar100"] = "cifar100"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy@5",)
