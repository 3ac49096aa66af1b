"""Dropout of the project's own modules: on a CPU, drawing the masks costs as much as a layer."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
    threshold = round(probability * LEVELS)
    if threshold == 0:
        return values
    if values.device.type != "cpu" or torch.compiler.is_compiling():
        return F.dropout(values, probability)
    # A comparison writes numbers faster than booleans are turned into them.
    factors = torch.empty_like(values, requires_grad=False)
    torch.ge(_random_bits(values.shape), threshold - LEVELS // 2, out=factors)
    return values * factors.mul_(LEVELS / (LEVELS - threshold))


def _random_bits(shape: torch.Size) -> Tensor:
    """Draw 16 bits an element: int16 of a shape."""
    count = shape.numel()
    seed = int(torch.randint(2**63 - 1, ()))
    words = np.random.Generator(np.random.SFC64(seed)).integers(
        -(2**63), 2**63, size=-(-count // 4), dtype=np.int64
    )
    return torch.from_numpy(words.view(np.int16))[:count].view(shape)


class Dropout(nn.Module):
    """Dropout in training, nothing in evaluation.

    Args:
        probability: of dropping an element.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, values: Tensor) -> Tensor:
        """Map values to the same shape."""
        return dropout(values, self.probability) if self.training else values

    def extra_repr(self) -> str:
        """Show the probability."""
        return f"{self.probability}"
