"""Keys of the task `cifar10`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.runtime.tasks.cifar import CifarTask


class Cifar10(CifarTask):
    """Which of 10 classes does an image of 32 by 32 pixels show? Source: Krizhevsky 2009."""

    outputs: ClassVar[int] = 10
    batches: ClassVar[str] = "cifar-10-batches-py"
    files: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
        "test": ("test_batch",),
    }
    names: ClassVar[tuple[str, str]] = ("batches.meta", "label_names")
    labels: ClassVar[str] = "labels"

    task: Literal["cifar10"] = "cifar10"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy@5",)
