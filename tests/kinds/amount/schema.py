"""Keys of a task of tests: a number."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.kinds.data import Split, TaskBlock


class Amount(TaskBlock):
    """A number."""

    outputs: ClassVar[int] = 1

    task: Literal["amount"] = "amount"

    def splits(self) -> Mapping[str, Split]:
        """Return the only split."""
        return {"train": Split(file="train", use="train")}
