"""Keys of `mrm`."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.head import Form, Head
from renaissance.grammar.kinds.hiding import wrong_shares
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.quantity import EXPLAINED, Quantity
from renaissance.grammar.kinds.remark import Remark
from renaissance.grammar.kinds.source import Modality
from renaissance.grammar.record import replace


class Mrm(ObjectiveBlock):
    """Masked regions: what did the detector make of hidden regions, given the text and the others?

    The features of a hidden region are zeros; where it lies is still seen. Its features are
    predicted, and with `classes` what the detector took it for. Source: Tan & Bansal 2019, LXMERT,
    section 3.1.2; Chen et al. 2020, UNITER, section 3.2.
    """

    changes: ClassVar[Mapping[Modality, str]] = {"vision": "hides regions of its images at random"}
    metric: ClassVar[str] = "mrm_explained"
    asks: ClassVar[tuple[str, ...]] = ("probability", "random", "keep", "loss", "classes")
    further_metrics: ClassVar[tuple[str, ...]] = ("mrm_class_accuracy",)
    quantities: ClassVar[Mapping[str, Quantity]] = {"mrm_explained": EXPLAINED}
    head_form: ClassVar[Form | None] = "own"
    head_reads: ClassVar[Literal["tokens", "patches", "pooled", "streams"]] = "patches"

    objective: Literal["mrm"] = "mrm"
    probability: Share = key(
        Share(0.15), doc="share of the regions that are predicted", impact="training", gt=0
    )
    random: Share = key(
        Share(0.1),
        doc="share of the predicted regions that show those of other images; what neither `random` "
        "nor `keep` takes is hidden",
        impact="training",
    )
    keep: Share = key(
        Share(0.1), doc="share of the predicted regions that stay as they are", impact="training"
    )
    loss: Literal["smooth_l1", "l2"] = key(
        "smooth_l1",
        doc="mean over the features of a region of squared errors (`l2`, UNITER), or of errors "
        "that are squared below 1 only (`smooth_l1`, transformers' LXMERT)",
        impact="training",
    )
    classes: int = key(
        0,
        doc="classes of which the detector's files hold `classes` `[regions, classes]`, the "
        "probability of each: the loss has the cross entropy with them too; 0 for none",
        impact="weights",
        ge=0,
        le=65_536,
    )
    weight: float = key(1.0, doc="factor of this loss in the sum", impact="training", gt=0, le=1000)

    @property
    def region_classes(self) -> int:
        """Classes of regions that are read beside their features."""
        return self.classes

    def head(self) -> Head:
        """Return the head, with what it predicts."""
        declared = super().head()
        assert declared is not None  # it has a form
        return replace(declared, predicts="regions")

    def remarks(self, batch: int) -> Iterable[Remark]:
        """Some of the regions are hidden, and no more than all are replaced or kept."""
        return wrong_shares(self.random, self.keep, things="regions", rest="hidden")
