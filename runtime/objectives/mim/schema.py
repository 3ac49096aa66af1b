"""Keys of `mim`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.declaration import Share, key
from renaissance.grammar.kinds.head import Form, Head
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.quantity import EXPLAINED, Quantity
from renaissance.grammar.kinds.source import Modality
from renaissance.grammar.record import replace


class Mim(ObjectiveBlock):
    """Masked image modelling: what do the hidden patches of an image show, given its text?

    Hidden patches are blank, and a learned token takes the place of their embeddings. What stands
    in their places behind the fusion is mapped linearly to what is predicted. The loss is over
    hidden patches alone. Source: Xie et al. 2022, SimMIM, section 3; He et al. 2022, MAE,
    section 3.
    """

    called: ClassVar[tuple[str, ...]] = ("mae", "masked_image_modeling", "beit")
    changes: ClassVar[Mapping[Modality, str]] = {"vision": "hides patches of its images at random"}
    metric: ClassVar[str] = "mim_explained"
    asks: ClassVar[tuple[str, ...]] = ("mask", "probability", "target", "loss")
    quantities: ClassVar[Mapping[str, Quantity]] = {"mim_explained": EXPLAINED}
    head_form: ClassVar[Form | None] = "own"
    head_reads: ClassVar[Literal["tokens", "patches", "pooled", "streams"]] = "patches"

    objective: Literal["mim"] = "mim"
    mask: Literal["random", "block"] = key(
        "random",
        doc="which patches are hidden: each at `random` (MAE, SimMIM), or `block` after block of "
        "neighbours (BEiT)",
        impact="training",
    )
    probability: Share = key(
        Share(0.6),
        doc="share of the patches that are hidden; 0.75 in MAE, 0.6 in SimMIM, 0.4 in BEiT",
        impact="training",
        gt=0,
    )
    target: Literal["pixels", "features"] = key(
        "pixels",
        doc="what is predicted of a patch, brought to mean 0 and variance 1: its `pixels` (MAE), "
        "or the `features` that the frozen vision tower gives of it where nothing is hidden",
        impact="weights",
    )
    loss: Literal["l2", "l1"] = key(
        "l2",
        doc="mean over a patch of squared (`l2`, MAE) or of absolute (`l1`, SimMIM) errors",
        impact="training",
    )
    weight: float = key(1.0, doc="factor of this loss in the sum", impact="training", gt=0, le=1000)

    def head(self) -> Head:
        """Return the head, with what it predicts."""
        declared = super().head()
        assert declared is not None  # it has a form
        return replace(declared, predicts=self.target)

    def changed(self) -> Mapping[Modality, str]:
        """Return what it does to inputs; for features to predict, images come as they are too."""
        return {} if self.target == "features" else self.changes
