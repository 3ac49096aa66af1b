"""Fast dropout: on a CPU, drawing masks as torch does costs as much as a layer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from renaissance.compiler.lowering.context import Context
from renaissance.compiler.model.dropout import Dropout
from renaissance.compiler.standing import device_type, traced, transformed

LEVELS = 2**16
"""Steps in which a probability is realised on a CPU: 16 random bits an element."""


def dropout(values: Tensor, probability: float) -> Tensor:
    """Drop elements with a probability and scale up those that stay.

    torch draws one double an element on a CPU; here one draw of 64 bits serves four elements, from
    a generator of numpy that takes a third of the time of torch's and is seeded by it. The
    probability is rounded to a multiple of 2⁻¹⁶, the scale is that of the rounded one.

    Args:
        values: any shape, floating point.
        probability: of dropping an element, in `[0, 1)`.

    Source: Srivastava et al. 2014.
    """
    threshold = levels_dropped(probability)
    if threshold == 0:
        return values
    if not drawn_here(values):
        return F.dropout(values, probability)
    return values * _staying(values, threshold).mul_(scale_of(threshold))


def add_dropped(update: Tensor, tokens: Tensor, probability: float) -> Tensor:
    """Return `dropout(update, probability) + tokens`, on a CPU in one go through memory."""
    threshold = levels_dropped(probability)
    if threshold == 0 or not drawn_here(update):
        return dropout(update, probability) + tokens
    return _AddDropped.apply(update, tokens, threshold)  # type: ignore[no-any-return]


class _AddDropped(torch.autograd.Function):
    """The sum, whose gradient is scaled and masked in one go through memory too."""

    @staticmethod
    def forward(ctx: Any, update: Tensor, tokens: Tensor, threshold: int) -> Tensor:
        ctx.scale = scale_of(threshold)
        staying = _staying(update, threshold)
        ctx.save_for_backward(staying)
        return torch.addcmul(tokens, update, staying, value=ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        (staying,) = ctx.saved_tensors
        nothing = gradient.new_zeros(())
        return torch.addcmul(nothing, gradient, staying, value=ctx.scale), gradient, None


def drop_weights(weights: Tensor, probability: float) -> Tensor:
    """Return `dropout(weights, probability)` of weights that a softmax gave.

    On a CPU only the result is kept for the backward pass, which the product behind it keeps
    anyway: what is dropped is what is 0 in it. A weight that was 0 before gets no gradient, and
    that of a softmax would not hand one on.

    Args:
        weights: any shape, none below 0.
        probability: as `dropout` takes it.
    """
    threshold = levels_dropped(probability)
    if threshold == 0 or not drawn_here(weights):
        return dropout(weights, probability)
    return _DroppedWeights.apply(weights, threshold)  # type: ignore[no-any-return]


class _DroppedWeights(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, threshold: int) -> Tensor:
        ctx.scale = scale_of(threshold)
        dropped = drop_from(weights, threshold)
        ctx.save_for_backward(dropped)
        return dropped

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (dropped,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(gradient, dropped, 0).mul_(ctx.scale), None


def drop_from(weights: Tensor, threshold: int) -> Tensor:
    """Return weights, scaled up, of which some are 0; nothing is recorded for autograd.

    Args:
        weights: any shape, none below 0.
        threshold: how many in `LEVELS` are dropped.
    """
    staying = _staying(weights, threshold)
    # The mask becomes the result: each element of it is read once, and then written over.
    return torch.addcmul(
        weights.new_zeros(()), weights, staying, value=scale_of(threshold), out=staying
    )


def levels_dropped(probability: float) -> int:
    """Return how many in `LEVELS` are dropped on a CPU."""
    return round(probability * LEVELS)


def drawn_here(values: Tensor) -> bool:
    """Return whether masks are drawn as this file does, and not by torch."""
    # What is compiled, transformed or traced knows only operations of torch.
    return (
        device_type(values) == "cpu"
        and not torch.compiler.is_compiling()
        and not traced()
        and not transformed()
    )


def scale_of(threshold: int) -> float:
    """Return the factor on what stays where so many in `LEVELS` are dropped."""
    return LEVELS / (LEVELS - threshold)


def _staying(values: Tensor, threshold: int) -> Tensor:
    """Draw 1 for each element that stays and 0 for each other: shape and dtype of the values."""
    # A comparison writes numbers faster than booleans are turned into them.
    staying = torch.empty_like(values, requires_grad=False)
    bits = _random_bits(values.shape, values.device)
    return torch.ge(bits, threshold - LEVELS // 2, out=staying)


def _random_bits(shape: torch.Size, device: torch.device) -> Tensor:
    """Draw 16 bits an element: int16 of a shape."""
    if device.type == "meta":
        return torch.empty(shape, dtype=torch.int16, device=device)
    count = shape.numel()
    seed = int(torch.randint(2**63 - 1, ()))
    words = np.random.SFC64(seed).random_raw(-(-count // 4))
    return torch.from_numpy(words.view(np.int16))[:count].view(shape)


class FastDropout(Dropout):
    """Dropout that draws many bits at once on a CPU."""

    def forward(self, values: Tensor) -> Tensor:
        """Map values to the same shape."""
        return dropout(values, self.probability) if self.training else values

    def add(self, update: Tensor, tokens: Tensor) -> Tensor:
        """Return the sum of tokens and of an update of the same shape, some of it dropped."""
        return add_dropped(update, tokens, self.probability if self.training else 0.0)


@dataclass(frozen=True, slots=True)
class QuickDropout:
    """Masks of activations are drawn many bits at once on a CPU."""

    name: str = "dropout"

    def applies(self, model: nn.Module, context: Context) -> bool:
        """Whether a model drops activations of its own on a CPU."""
        parts = (part for part in model.modules() if isinstance(part, Dropout))
        return context.maybe_cpu and any(part.probability > 0.0 for part in parts)

    def apply(self, model: nn.Module, context: Context) -> None:
        """Let every dropout of the project's own modules draw so."""
        for part in model.modules():
            if type(part) is Dropout:
                part.__class__ = FastDropout

    def explain(self, model: nn.Module, context: Context) -> str:
        """Say how masks are drawn."""
        return "on a CPU one draw of 64 bits decides on four activations"
