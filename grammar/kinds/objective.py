"""Objectives: what a model learns from pairs of images and texts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from renaissance.grammar.kinds.block import KindBlock
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.head import Form, Head
from renaissance.grammar.kinds.moving import Moving
from renaissance.grammar.kinds.quantity import Quantity
from renaissance.grammar.kinds.remark import Remark
from renaissance.grammar.kinds.source import Modality


class ObjectiveBlock(KindBlock):
    """What a model learns from pairs of images and texts.

    Facets: `items.py` says what it reads of which pairs and what it wants there, `loss.py` how
    wrong that is, `head.py`, if there is one, builds its head.
    """

    family: ClassVar[str] = "objective"
    scope: ClassVar[Literal["item", "global_batch"]] = "item"
    """Whether its loss is a sum over items, or needs all rows of a step at once.

    A loss over the global batch has a head that reads streams before the fusion, with a method
    `vectors(stream, read)`; its `loss.py` is `loss(block, head, own, everything, first)` then.
    """
    changes: ClassVar[Mapping[Modality, str]] = {}
    """What it does to inputs before they are encoded, a phrase by what the stream reads."""
    metric: ClassVar[str]
    """Name of the share of its items that are right."""
    further_metrics: ClassVar[tuple[str, ...]] = ()
    """Names of other shares, of which its `loss.py` gives the credit too."""
    quantities: ClassVar[Mapping[str, Quantity]] = {}
    """What these are, by name, where they are no shares of items that are right; see `TaskBlock`.
    Of its loss less is better."""
    asks: ClassVar[tuple[str, ...]] = ()
    """Keys that say what is asked where it is measured: losses and metrics under other values of
    them answer another question."""
    compares: ClassVar[bool] = False
    """It learns a vector of each text and of each image whose product says how well they match."""
    matches: ClassVar[int | None] = None
    """The output of its head that says how well the text and the image of a pair match."""
    head_form: ClassVar[Form | None] = None
    head_reads: ClassVar[Literal["tokens", "patches", "pooled", "streams"]] = "pooled"
    head_outputs: ClassVar[int | None] = None

    if TYPE_CHECKING:
        weight: float

    @classmethod
    def head_name(cls) -> str:
        """Return the name of its head, which is its word."""
        return cls.word()

    def blind(self) -> float | None:
        """Return what `metric` is where all items get the same answer; None if that depends."""
        return None

    @property
    def region_classes(self) -> int:
        """Classes of detected regions that are read beside their features."""
        return 0

    def changed(self) -> Mapping[Modality, str]:
        """Return what it does to inputs that it reads in no other way, as `changes` has it."""
        return self.changes

    def head(self) -> Head | None:
        """Return the head that it reads; None where it has none."""
        if self.head_form is None:
            return None
        return Head(
            name=self.head_name(),
            reads=self.head_reads,
            form=self.head_form,
            outputs=self.head_outputs,
        )

    def moving(self, space: int | None) -> Moving | None:
        """Return what follows the model that it compares with; None for the model itself.

        Args:
            space: channels of the space of the fusion; None where it has none.
        """
        return None

    def remarks(self, batch: int) -> Iterable[Remark]:
        """Return what is wrong with it in a job of so many texts a step."""
        return ()

    def remarks_among(
        self, objectives: Sequence["ObjectiveBlock"], fusion: FusionBlock
    ) -> Iterable[Remark]:
        """Return what is wrong with it beside all objectives of a job, on a model with a fusion."""
        return ()
