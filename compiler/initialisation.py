"""Random weights of the project's own modules, drawn as the field does."""

from torch import nn

STD = 0.02
"""Standard deviation of embeddings, class tokens, heads and fusion layers, as in BERT and ViT."""


def initialise_stack(module: nn.Module) -> None:
    """Draw a pre-norm stack: Xavier-uniform matrices, no biases.

    Source: Dosovitskiy et al. 2021, ViT.
    """
    for part in module.modules():
        if isinstance(part, (nn.Linear, nn.Conv2d)):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def initialise_dense(module: nn.Module) -> None:
    """Draw fusion layers, poolers and heads: normal with `STD`, no biases.

    Source: Devlin et al. 2019, BERT; Tan & Bansal 2019, LXMERT.
    """
    for part in module.modules():
        if isinstance(part, (nn.Linear, nn.Embedding)):
            nn.init.normal_(part.weight, std=STD)
        if isinstance(part, nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
