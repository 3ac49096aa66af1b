"""What is said of a hidden region."""

import torch
from torch import Tensor, nn

from renaissance.compiler.model.initialisation import initialise
from renaissance.runtime.objectives.mrm.schema import Mrm


class RegionHead(nn.Module):
    """A transformed token, mapped to what a detector made of its region.

    Source: Tan & Bansal 2019, LXMERT; `LxmertVisualObjHead` of transformers.

    Args:
        width: channels of the stream of regions behind the fusion.
        channels: numbers that stand for a region.
        classes: that a region may be of; 0 where none are predicted.
    """

    def __init__(self, width: int, channels: int, classes: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.activation = nn.GELU()
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.features = nn.Linear(width, channels)
        self.classes = nn.Linear(width, classes) if classes else None
        initialise(self)

    def forward(self, tokens: Tensor) -> Tensor:
        """Predict of regions `[items, width]` their features and, behind them, their classes."""
        read = self.norm(self.activation(self.dense(tokens)))
        features: Tensor = self.features(read)  # [items, channels]
        if self.classes is None:
            return features
        return torch.cat((features, self.classes(read)), 1)  # [items, channels + classes]


def build(block: Mrm, width: int, channels: int) -> RegionHead:
    """Return the head."""
    return RegionHead(width, channels, block.classes)
