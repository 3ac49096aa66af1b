"""Keys of an objective of tests that needs all rows of a step at once."""

from typing import ClassVar, Literal

from renaissance.grammar.kinds.objective import ObjectiveBlock


class WholeBatch(ObjectiveBlock):
    """Compares every text with every image of a step."""

    scope: ClassVar[Literal["item", "global_batch"]] = "global_batch"
    metric: ClassVar[str] = "found"

    objective: Literal["whole_batch"] = "whole_batch"
    weight: float = 1.0
