"""Heads: from what a model hands on to scores."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from renaissance.compiler.model.initialisation import initialise
from renaissance.grammar.kinds.head import Head


class LmHead(nn.Module):
    """Scores of tokens. Source: Devlin et al. 2019, BERT.

    Args:
        width: channels of the text stream.
        outputs: scores of a token, one for each word piece.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.activation = nn.GELU()
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.decoder = nn.Linear(width, outputs)
        initialise(self)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score tokens `[items, width]` as `[items, outputs]`."""
        return self.decoder(self.norm(self.activation(self.dense(tokens))))  # type: ignore[no-any-return]


class TiedLmHead(nn.Module):
    """Scores of tokens by their similarity with word embeddings. Source: Devlin et al. 2019, BERT.

    Args:
        width: channels of the text stream.
        words: of the text stream, which they belong to.
    """

    def __init__(self, width: int, words: nn.Embedding) -> None:
        super().__init__()
        self.dense = nn.Linear(width, words.embedding_dim)
        self.activation = nn.GELU()
        self.norm = nn.LayerNorm(words.embedding_dim, eps=1e-12)
        self.bias = nn.Parameter(torch.zeros(words.num_embeddings))
        self._words = (words,)  # not a part of the head: they have an address of their own
        initialise(self)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score tokens `[items, width]` as `[items, word pieces]`."""
        [words] = self._words
        return self.decode(self.norm(self.activation(self.dense(tokens))), words.weight)

    def decode(self, tokens: Tensor, words: Tensor) -> Tensor:
        """Compare tokens `[items, c]` with words `[word pieces, c]`."""
        return F.linear(tokens, words, self.bias)


class LinearHead(nn.Module):
    """Scores by one linear map.

    Args:
        width: channels of what is read for an item.
        outputs: scores of an item.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, outputs)
        initialise(self)

    def forward(self, read: Tensor) -> Tensor:
        """Score items `[items, width]` as `[items, outputs]`."""
        return self.dense(read)  # type: ignore[no-any-return]


class MlpHead(nn.Module):
    """Scores by two linear maps with a norm between them. Source: Kim et al. 2021, ViLT.

    Args:
        width: channels of what is read for an item.
        inner: channels between the maps.
        outputs: scores of an item.
    """

    def __init__(self, width: int, inner: int, outputs: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, inner)
        self.norm = nn.LayerNorm(inner)
        self.activation = nn.GELU()
        self.outer = nn.Linear(inner, outputs)
        initialise(self)

    def forward(self, read: Tensor) -> Tensor:
        """Score items `[items, width]` as `[items, outputs]`."""
        return self.outer(self.activation(self.norm(self.inner(read))))  # type: ignore[no-any-return]


class Heads(nn.ModuleDict):
    """Heads by name.

    Args:
        modules: map what is read to scores.
        declared: what each of them reads.
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module] | None = None,
        declared: Mapping[str, Head] | None = None,
    ) -> None:
        super().__init__(modules)
        self.declared = dict(declared or {})
