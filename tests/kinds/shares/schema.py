"""Keys of a task of tests: answers that are right to a share."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.kinds.data import Split, TaskBlock


class SharesOfCredit(TaskBlock):
    """Answers that are right to a share."""

    outputs: ClassVar[int] = 7

    task: Literal["shares"] = "shares"

    def splits(self) -> Mapping[str, Split]:
        """Return the only split."""
        return {"train": Split(file="train", use="train")}
