"""Keys of `order`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.head import Form
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.source import Modality


class Order(ObjectiveBlock):
    """Are the words of a text in their order, or has somebody reversed them?"""

    changes: ClassVar[Mapping[Modality, str]] = {"text": "reverses some of its texts"}
    metric: ClassVar[str] = "order_accuracy"
    head_form: ClassVar[Form | None] = "linear"
    head_outputs: ClassVar[int | None] = 2

    objective: Literal["order"] = "order"
    reversed: Share = key(
        Share(0.5), doc="share of the texts that are reversed", impact="training", gt=0, lt=1
    )
    weight: float = key(1.0, doc="factor of this loss in the sum", impact="training", gt=0, le=1000)
