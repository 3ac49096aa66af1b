"""Keys of `adamw`."""

from typing import ClassVar, Literal

from renaissance.grammar.declaration import key
from renaissance.grammar.kinds.optimizer import Decay, OptimizerBlock


class AdamW(OptimizerBlock):
    """Adam with decoupled weight decay. Source: Loshchilov & Hutter 2019."""

    called: ClassVar[tuple[str, ...]] = (
        "adamw_torch",
        "adamw_hf",
        "adamw_torch_fused",
        "fused_adamw",
    )
    # It moves each weight by about the rate in a step, whatever the gradient.
    highest_rate: ClassVar[float] = 0.1

    optimizer: Literal["adamw"] = "adamw"
    weight_decay: float = key(
        0.01,
        doc="decay of weight matrices; biases, norms and embeddings of positions have none",
        impact="training",
        ge=0,
        le=100,
    )
    betas: tuple[Decay, Decay] = key(
        (0.9, 0.98), doc="decay of the running averages", impact="training"
    )
    eps: float = key(
        1e-8, doc="term that keeps the division finite", impact="training", ge=1e-30, le=1
    )

    @property
    def averages(self) -> int:
        """Of gradients and of their squares."""
        return 2
