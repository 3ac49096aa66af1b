"""Keys of `itm`."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.head import Form
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.remark import Remark


class Itm(ObjectiveBlock):
    """Image-text matching: does this text belong to this image?"""

    metric: ClassVar[str] = "itm_accuracy"
    matches: ClassVar[int | None] = 1
    head_form: ClassVar[Form | None] = "linear"
    head_outputs: ClassVar[int | None] = 2

    objective: Literal["itm"] = "itm"
    negatives: int = key(
        1,
        doc="pairs with an image that the text is not known to be true of, for each true pair",
        impact="training",
        ge=1,
        le=16,
    )
    draw: Literal["batch", "data"] = key(
        "batch",
        doc="where the other image comes from: the same batch, or all of the data",
        impact="training",
    )
    weight: float = key(1.0, doc="factor of this loss in the sum", impact="training", gt=0, le=1000)

    def remarks(self, batch: int) -> Iterable[Remark]:
        """A batch of one text has no other image."""
        if self.draw == "batch" and batch < 2:
            yield Remark(
                code="VL513",
                message="there is no other image in the batch",
                label="draws another image from the batch",
                help=("write `draw = data`, or take a larger batch",),
                related=(("batch", "one text a step"),),
            )
