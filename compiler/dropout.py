"""Dropout of the project's own modules: on a CPU, drawing the masks costs as much as a layer."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 2**16
"""Steps in which a probability is realised on a CPU: 16 random bits an element."""


def dropout(values: Tensor, probability: float) -> Tensor:
    """Drop elements with a probability and scale up those that stay.

    torch draws one double an element on a CPU; here one draw of 64 bits serves four elements. The
    probability is rounded to a multiple of 2⁻¹⁶, the scale is that of the rounded one. Masks follow
    from torch's generator.

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
    count = values.numel()
    words = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    bits = words.view(torch.int16)[:count].view(values.shape)
    scale = values.new_tensor(LEVELS / (LEVELS - threshold))
    return values * ((bits >= threshold - LEVELS // 2) * scale)


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
