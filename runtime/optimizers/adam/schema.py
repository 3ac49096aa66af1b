"""Keys of `adam`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.optimizer import Decay, OptimizerBlock


class Adam(OptimizerBlock):
    """Adam; its decay is a part of the gradient. Source: Kingma & Ba 2015."""

    # It moves each weight by about the rate in a step, whatever the gradient.
    highest_rate: ClassVar[float] = 0.1

    optimizer: Literal["adam"] = "adam"
    weight_decay: float = key(
        0.0,
        doc="share of a weight that is added to its gradient; weight matrices and embeddings of "
        "words only",
        impact="training",
        ge=0,
        le=100,
    )
    betas: tuple[Decay, Decay] = key(
        (0.9, 0.999), doc="decay of the running averages", impact="training"
    )
    eps: float = key(
        1e-8, doc="term that keeps the division finite", impact="training", ge=1e-30, le=1
    )

    @property
    def averages(self) -> int:
        """Of gradients and of their squares."""
        return 2
