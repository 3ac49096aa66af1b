"""The token that stands for a hidden patch, and what is said of such a patch."""

import torch
from torch import Tensor, nn

from renaissance.compiler.model.initialisation import STD, initialise
from renaissance.runtime.objectives.mim.schema import Mim


class PatchHead(nn.Module):
    """A linear map of tokens. Source: Xie et al. 2022, SimMIM, section 3.3.

    Args:
        width: channels of the vision stream behind the fusion.
        outputs: numbers that are predicted of a patch.
        embedded: channels of embedded patches.

    `mask_token` `[embedded]` takes the place of the embeddings of hidden patches.
    """

    def __init__(self, width: int, outputs: int, embedded: int) -> None:
        super().__init__()
        self.mask_token = nn.Parameter(torch.empty(embedded))
        self.dense = nn.Linear(width, outputs)
        initialise(self)
        nn.init.normal_(self.mask_token, std=STD)

    def forward(self, tokens: Tensor) -> Tensor:
        """Predict of patches `[items, width]` as `[items, outputs]`."""
        return self.dense(tokens)  # type: ignore[no-any-return]


def build(block: Mim, width: int, outputs: int, embedded: int) -> PatchHead:
    """Return the head."""
    return PatchHead(width, outputs, embedded)
