"""Dropout in training, nothing in evaluation."""

import torch.nn.functional as F
from torch import Tensor, nn


class Dropout(nn.Module):
    """Dropout of activations. Source: Srivastava et al. 2014.

    Args:
        probability: of dropping an element, in `[0, 1)`.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, values: Tensor) -> Tensor:
        """Map values to the same shape."""
        return F.dropout(values, self.probability, self.training)

    def add(self, update: Tensor, tokens: Tensor) -> Tensor:
        """Return the sum of tokens and of an update of the same shape, some of it dropped."""
        return self(update) + tokens  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """Show the probability."""
        return f"{self.probability}"
