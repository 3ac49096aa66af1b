"""Keys of `itm`."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.head import Form
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.remark import Remark
from renaissance.grammar.names import listing


class Itm(ObjectiveBlock):
    """Image-text matching: does this text belong to this image?"""

    called: ClassVar[tuple[str, ...]] = ("matching", "image_text_matching", "itm_loss", "nsp")
    metric: ClassVar[str] = "itm_accuracy"
    asks: ClassVar[tuple[str, ...]] = ("negatives", "draw")
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
    hard: bool = key(
        False,
        doc="draw the other image among those of the same pass, the more often the better it seems "
        "to match by an objective that compares both; held-out pairs are as `draw` says. "
        "Source: Li et al. 2021, ALBEF, section 3.2",
        impact="training",
    )
    weight: float = key(1.0, doc="factor of this loss in the sum", impact="training", gt=0, le=1000)

    def blind(self) -> float:
        """All of the more frequent kind."""
        return self.negatives / (1 + self.negatives)

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

    def remarks_among(
        self, objectives: Sequence[ObjectiveBlock], fusion: FusionBlock
    ) -> Iterable[Remark]:
        """What seems to match only another objective can say."""
        if self.hard and not any(objective.compares for objective in objectives):
            words = [word for word, kind in Kinds(ObjectiveBlock).items() if kind.compares]
            yield Remark(
                code="VL506",
                message="`hard` has no effect",
                key="hard",
                label="nothing says how well an image seems to match a text",
                help=(f"learn {listing(words, between=' or ')} too",) if words else (),
            )
