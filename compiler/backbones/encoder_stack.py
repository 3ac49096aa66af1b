"""The layers of a library's encoder over tokens that come from elsewhere."""

from typing import Any

import torch
from torch import Tensor, nn

from renaissance.compiler.model.features import Features
from renaissance.compiler.model.tower import BackboneReference, Stacked, TowerFacts


class EncoderStack(Stacked):
    """Layers and the last norm of an encoder, over tokens that come from elsewhere.

    Args:
        layers: each maps tokens `[rows, n, width]` and what stands for a mask to tokens.
        norm: behind the last of them; an identity where the encoder has none.
        facts: of the stack.
        reference: where its weights came from; None if they are random.
        dropout: probability that embeddings in front of it take.

    `library` names the implementation of attention that the layers bring, where they run that;
    `config` is what layers of transformers read it from.
    """

    library: str | None
    config: Any = None

    def __init__(
        self,
        layers: nn.ModuleList,
        norm: nn.Module,
        facts: TowerFacts,
        reference: BackboneReference | None,
        dropout: float,
    ) -> None:
        super().__init__()
        self.library = facts.attention.library if facts.attention is not None else None
        self.layers = layers
        self.norm = norm
        self.facts = facts
        self.reference = reference
        self.dropout = dropout

    def forward(self, inputs: Features) -> Features:
        """Map tokens `[rows, n, width]` to the same shape; padding is attended to by nobody."""
        tokens, mask = inputs.tokens, library_mask(inputs, self.library)
        for layer in self.layers:
            tokens = layer(tokens, mask)
        return inputs.with_tokens(self.norm(tokens))


def library_mask(inputs: Features, library: str | None) -> Tensor | None:
    """Return what layers of a library take as a mask: `[rows, 1, 1, n]`, bool or to be added."""
    if inputs.mask is None:
        return None
    mask = inputs.mask[:, None, None, :]
    if library == "sdpa":
        return mask
    dtype = inputs.tokens.dtype
    hidden = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return hidden.masked_fill(~mask, torch.finfo(dtype).min)
