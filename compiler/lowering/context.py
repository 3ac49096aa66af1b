"""What a lowering is, and what it knows besides the model."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol

import torch

from renaissance.compiler.model.vision_language import VisionLanguageModel
from renaissance.grammar.schema.model import Attention


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a model is lowered for.

    Attributes:
        attention: implementation that its spec asks for.
        device: type of what it is going to run on; None where that is open.
        products: type that autocast computes products in; None without autocast.
        never: names of parameters that do not learn in any step of the job.
        compiles: whether the job compiles repeated layers.
        recomputes: whether repeated layers are computed again in the backward pass.
    """

    attention: Attention = "auto"
    device: Literal["cpu", "cuda"] | None = None
    products: torch.dtype | None = None
    never: Collection[str] = ()
    compiles: bool = False
    recomputes: bool = False

    @property
    def maybe_cpu(self) -> bool:
        """Whether it may run on a CPU."""
        return self.device != "cuda"


class Lowering(Protocol):
    """One way to compute the same faster.

    A lowering changes a built model in place: parameters, their names and their values stay, and so
    do outputs and gradients up to rounding. `name` is the word that plans say.
    """

    @property
    def name(self) -> str:
        """What plans call it."""

    def applies(self, model: VisionLanguageModel, context: Context) -> bool:
        """Whether there is anything in the model that it makes faster."""

    def apply(self, model: VisionLanguageModel, context: Context) -> None:
        """Change the model, which `applies` holds for; once more changes nothing more."""

    def explain(self, model: VisionLanguageModel, context: Context) -> str:
        """Say what it does in a model that it was applied to; a phrase."""
