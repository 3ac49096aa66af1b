"""A linear map that is held constant beside a low-rank one that learns."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Adapter(nn.Module):
    """A map by way of a few channels: `scale · B A x`, zero at the start.

    Args:
        inputs: channels of what it maps.
        outputs: channels of what it gives.
        rank: channels between them.
        alpha: `scale` is `alpha / rank`.
        dropout: probability of leaving out a channel of the input.

    Attributes:
        scale: stands in checkpoints, so that an adapter can be merged without its spec.

    Source: Hu et al. 2021, LoRA, section 4.1.
    """

    scale: Tensor

    def __init__(
        self, inputs: int, outputs: int, *, rank: int, alpha: float, dropout: float
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.down = nn.Linear(inputs, rank, bias=False)
        self.up = nn.Linear(rank, outputs, bias=False)
        self.register_buffer("scale", torch.tensor(alpha / rank, dtype=torch.float32))
        nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))
        nn.init.zeros_(self.up.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens `[..., inputs]` to `[..., outputs]`."""
        few: Tensor = self.down(self.dropout(tokens))  # [..., rank]
        return self.up(few * self.scale)  # type: ignore[no-any-return]

    def product(self) -> Tensor:
        """Return the matrix that it is without dropout, `[outputs, inputs]`."""
        return (self.up.weight * self.scale) @ self.down.weight


class AdaptedLinear(nn.Linear):
    """A linear map, which keeps its weight and its bias, beside its adapter.

    Attributes:
        product: what computes the map: tokens, weight and bias to tokens.
    """

    adapter: Adapter
    product: Callable[[Tensor, Tensor, Tensor | None], Tensor] = staticmethod(F.linear)

    def forward(self, input: Tensor) -> Tensor:
        """Map tokens `[..., in_features]` to `[..., out_features]`."""
        beside: Tensor = self.adapter(input)
        return self.product(input, self.weight, self.bias) + beside
