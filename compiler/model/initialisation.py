"""Random weights of the project's own modules, drawn as the field does."""

from torch import nn

STD = 0.02
"""Standard deviation of embeddings and of class tokens, as in BERT and ViT."""


def initialise(module: nn.Module) -> None:
    """Draw matrices Xavier-uniform, which suits every width, embeddings normal; no biases.

    Source: Glorot & Bengio 2010; used by Vaswani et al. 2017 and Dosovitskiy et al. 2021.
    """
    for part in module.modules():
        if isinstance(part, (nn.Linear, nn.Conv2d)):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=STD)
