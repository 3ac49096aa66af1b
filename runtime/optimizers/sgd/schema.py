"""Keys of `sgd`."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.optimizer import Decay, OptimizerBlock
from renaissance.grammar.kinds.remark import Remark


class Sgd(OptimizerBlock):
    """Stochastic gradient descent with momentum. Source: Sutskever et al. 2013."""

    called: ClassVar[tuple[str, ...]] = ("momentum", "sgdm", "nesterov")
    # A linear map on constant features is trained with 30 (He et al. 2020, MoCo).
    highest_rate: ClassVar[float] = 100.0
    usual_rates: ClassVar[tuple[str, str]] = ("1e-3", "1")

    optimizer: Literal["sgd"] = "sgd"
    momentum: Decay = key(
        0.9,
        doc="share of the last step's direction that is kept; 0 for none, and no memory for it",
        impact="training",
    )
    nesterov: bool = key(
        False,
        doc="take the gradient as it would be after the momentum's part of the step",
        impact="training",
    )
    weight_decay: float = key(
        0.0,
        doc="share of a weight that is added to its gradient; weight matrices and embeddings of "
        "words only",
        impact="training",
        ge=0,
        le=100,
    )

    @property
    def averages(self) -> int:
        """The momentum, where there is one."""
        return 1 if self.momentum else 0

    def remarks(self) -> Iterable[Remark]:
        """Without momentum there is nothing to look ahead with."""
        if self.nesterov and not self.momentum:
            yield Remark(
                code="VL506",
                message="`nesterov` has no effect here",
                key="nesterov",
                label="there is no momentum",
                severity="warning",
            )
