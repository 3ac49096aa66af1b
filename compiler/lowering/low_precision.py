"""Weights that never learn, held in the type that autocast would cast them to."""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from renaissance.compiler.lowering.context import Context
from renaissance.compiler.model.adapter import AdaptedLinear
from renaissance.compiler.model.vision_language import VisionLanguageModel

_CAST = (nn.Linear, AdaptedLinear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Modules that use their parameters in no other way than to hand them to one operation that
autocast runs in low precision. Norms, embeddings and positions are read in float32 there."""


def constant_weights(model: nn.Module, never: Collection[str]) -> dict[str, nn.Parameter]:
    """Return the parameters that may be held in low precision with nothing changed.

    Under autocast a linear map or convolution casts its parameters whenever it runs. Where they
    never learn, holding what the cast gives is the same function bit for bit, at half of the bytes
    and without the cast.

    Args:
        model: holds the parameters.
        never: names of parameters that do not learn in any step of the job.
    """
    owners: dict[nn.Parameter, list[type[nn.Module]]] = {}
    for part in model.modules():
        for parameter in part.parameters(recurse=False):
            # Whatever derives from these may do something else with its weights.
            owners.setdefault(parameter, []).append(type(part))
    return {
        name: parameter
        for name, parameter in model.named_parameters()
        if name in never
        and parameter.dtype == torch.float32
        and all(owner in _CAST for owner in owners[parameter])
    }


def hold_in_low_precision(
    model: nn.Module, never: Collection[str], dtype: torch.dtype
) -> dict[str, Tensor]:
    """Cast what `constant_weights` finds, in place; the model runs under autocast from now on.

    Args:
        model: with its final weights.
        never: names of parameters that do not learn in any step of the job.
        dtype: that autocast computes in.

    Returns:
        The float32 tensors by name, as they were.
    """
    originals = {}
    for name, parameter in constant_weights(model, never).items():
        originals[name] = parameter.data
        parameter.data = parameter.data.to(dtype)
    return originals


@dataclass(frozen=True, slots=True)
class LowPrecision:
    """Weights that never learn are held in the type that products are computed in."""

    name: str = "low precision"

    def applies(self, model: VisionLanguageModel, context: Context) -> bool:
        """Whether autocast runs, and would cast weights that never learn each time."""
        return context.products is not None and bool(self._held(model, context))

    def apply(self, model: VisionLanguageModel, context: Context) -> None:
        """Cast them once."""
        assert context.products is not None  # as `applies` says
        hold_in_low_precision(model, context.never, context.products)

    def explain(self, model: VisionLanguageModel, context: Context) -> str:
        """Say how many numbers are held so."""
        numbers = sum(part.numel() for part in self._held(model, context))
        word = str(context.products).removeprefix("torch.")
        return f"{numbers:,} numbers that never learn are held in {word}"

    def _held(self, model: VisionLanguageModel, context: Context) -> list[Tensor]:
        """Return what is, or is going to be, held so."""
        waiting = constant_weights(model, context.never)
        return [
            part
            for name, part in model.named_parameters()
            if name in waiting or (name in context.never and part.dtype == context.products)
        ]
