"""Keys of a task of tests: which of some pairs is the right one."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.kinds.data import Split, TaskBlock


class AmongCandidates(TaskBlock):
    """Which of some pairs is the right one."""

    outputs: ClassVar[int] = 1

    task: Literal["candidates"] = "candidates"

    def splits(self) -> Mapping[str, Split]:
        """Return the only split."""
        return {"train": Split(file="train", use="train")}
