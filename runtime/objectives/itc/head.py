"""The common space of texts and images, and how alike two of its vectors are."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from renaissance.compiler.model.initialisation import initialise
from renaissance.runtime.objectives.itc.schema import BIAS, WIDTH, Itc


class ContrastHead(nn.Module):
    """A projection of each stream, where it has no common space yet, and a learned temperature.

    Args:
        block: the objective.
        widths: channels of what each stream is projected from; empty where nothing is projected.
    """

    def __init__(self, block: Itc, widths: Mapping[str, int]) -> None:
        super().__init__()
        width = block.width or WIDTH
        self.projection = nn.ModuleDict(
            {name: nn.Linear(own, width, bias=block.bias) for name, own in widths.items()}
        )
        # With one element each: weights that are split over processes have no scalars.
        self.logit_scale = nn.Parameter(torch.tensor([-math.log(block.temperature)]))
        self.bias = nn.Parameter(torch.tensor([BIAS])) if block.loss == "sigmoid" else None
        self._bounds = (-math.log(block.most_temperature), -math.log(block.least_temperature))
        initialise(self)

    def vectors(self, stream: str, read: Tensor) -> Tensor:
        """Bring vectors `[rows, its width]` of a stream to length 1 in the space, in float32."""
        if stream in self.projection:
            read = self.projection[stream](read)
        return F.normalize(read.float(), dim=-1)  # [rows, width]

    def forward(self, own: Tensor, others: Tensor) -> Tensor:
        """Compare `[n, width]` with `[k, width]`: logits `[n, k]`."""
        logits = self.logit_scale.float().exp() * (own @ others.T)
        return logits if self.bias is None else logits + self.bias.float()

    @torch.no_grad()
    def stay_in_bounds(self) -> None:
        """Bring the temperature back to its bounds; the training calls it after each update."""
        if self.logit_scale.requires_grad:
            self.logit_scale.clamp_(*self._bounds)


def build(block: Itc, widths: Mapping[str, int], space: int | None) -> ContrastHead:
    """Return the head.

    Args:
        block: the objective.
        widths: channels of the vector of each stream before the fusion, by name.
        space: channels of the space of the fusion; None where it has none.
    """
    return ContrastHead(block, {} if space is not None else widths)
