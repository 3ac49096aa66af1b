"""What the project's own attention is lowered by: three switches of `LoweredMultiHead`."""

from dataclasses import dataclass

from torch import nn

from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.multi_head import lowered_attentions
from renaissance.compiler.model.attention import MultiHeadAttention


@dataclass(frozen=True, slots=True)
class OwnAttention:
    """The fastest implementation of attention that fits runs."""

    name: str = "attention"

    def applies(self, model: nn.Module, context: Context) -> bool:
        """Whether a model has attention of its own."""
        return _count(model) > 0

    def apply(self, model: nn.Module, context: Context) -> None:
        """Let each of them choose when it is called."""
        for part in lowered_attentions(model):
            part.asked = context.attention

    def explain(self, model: nn.Module, context: Context) -> str:
        """Say what is chosen."""
        if context.attention != "auto":
            return f"{context.attention}, as `attention` says"
        return "kernels of the project where rows are ragged on a GPU, torch's fused ones elsewhere"


@dataclass(frozen=True, slots=True)
class JointProjections:
    """One product makes queries, keys and values."""

    name: str = "projections"

    def applies(self, model: nn.Module, context: Context) -> bool:
        """Whether a model has attention of its own."""
        return _count(model) > 0

    def apply(self, model: nn.Module, context: Context) -> None:
        """Join the weights of each of them when it is called."""
        for part in lowered_attentions(model):
            part.joins = True

    def explain(self, model: nn.Module, context: Context) -> str:
        """Say in how many places."""
        return f"one product makes queries, keys and values, in {_count(model)} places"


@dataclass(frozen=True, slots=True)
class Absorption:
    """A stream that is far shorter than the other absorbs the projections of the longer one."""

    name: str = "absorption"

    def applies(self, model: nn.Module, context: Context) -> bool:
        """Whether a model has attention of its own, no other order is asked for, and a CPU runs."""
        return context.maybe_cpu and context.attention in ("auto", "sdpa") and _count(model) > 0

    def apply(self, model: nn.Module, context: Context) -> None:
        """Let each of them compare lengths when it is called."""
        for part in lowered_attentions(model):
            part.absorbs = True

    def explain(self, model: nn.Module, context: Context) -> str:
        """Say where."""
        return "on a CPU a far shorter stream absorbs the projections of the longer one"


def _count(model: nn.Module) -> int:
    return sum(isinstance(part, MultiHeadAttention) for part in model.modules())
