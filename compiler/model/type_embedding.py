"""Which stream a token comes from, told to the fusion layers."""

import torch
from torch import Tensor, nn

from renaissance.compiler.model.initialisation import STD


class TypeEmbedding(nn.Module):
    """A vector for each stream, added to all of its tokens; nothing for streams without one."""

    def __init__(self, streams: tuple[str, ...], width: int) -> None:
        super().__init__()
        self.vectors = nn.ParameterDict(
            {name: nn.Parameter(torch.empty(width)) for name in streams}
        )
        for vector in self.vectors.values():
            nn.init.normal_(vector, std=STD)

    def forward(self, stream: str, tokens: Tensor) -> Tensor:
        """Add the vector of `stream`, if it has one, to tokens `[..., width]`."""
        if stream not in self.vectors:
            return tokens
        vector: Tensor = self.vectors[stream]
        return tokens + vector
