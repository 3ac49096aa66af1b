"""From the tokens of the fused streams to one vector a row."""

from collections.abc import Collection, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from renaissance.compiler.model.features import Features, Queries
from renaissance.compiler.model.initialisation import initialise
from renaissance.grammar.schema.model import Pooler, Pooling


class Pool(nn.Module):
    """A token of each stream (or their mean), a linear map with tanh each or nothing, joined.

    Args:
        pooling: `cls`: first token of each stream, `mean`: mean of each stream's tokens, `first`:
            first token of the first stream alone, `last`: last token of texts, first of others.
        widths: channels by stream, in order.
        pooler: `tanh`: a linear map and tanh behind each; `none`: vectors as they are.
        texts: streams that read texts.
    """

    def __init__(
        self,
        pooling: Pooling,
        widths: Mapping[str, int],
        pooler: Pooler = "tanh",
        texts: Collection[str] = (),
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.texts = frozenset(texts)
        self.streams = tuple(widths)[:1] if pooling == "first" else tuple(widths)
        mapped = self.streams if pooler == "tanh" else ()
        self.dense = nn.ModuleDict({name: nn.Linear(widths[name], widths[name]) for name in mapped})
        self.width = sum(widths[name] for name in self.streams)
        initialise(self)

    @property
    def queries(self) -> dict[str, Queries]:
        """What is read of which streams."""
        return {name: self.query(name) for name in self.streams}

    def query(self, stream: str) -> Literal["all", "first", "last"]:
        """Return what is read of a stream."""
        if self.pooling == "last" and stream in self.texts:
            return "last"
        return "all" if self.pooling == "mean" else "first"

    def forward(self, features: Mapping[str, Features]) -> Tensor:
        """Pool streams of tokens `[rows, n, width]` to `[rows, pooled_width]`."""
        return torch.cat([self._pooled(name, features[name]) for name in self.streams], -1)

    def _pooled(self, name: str, stream: Features) -> Tensor:
        vector = self.vector(name, stream)  # [rows, width]
        return torch.tanh(self.dense[name](vector)) if name in self.dense else vector

    def vector(self, name: str, stream: Features) -> Tensor:
        """Return `[rows, width]` of a padded stream: the mean of its tokens, or one of them."""
        query = self.query(name)
        return mean(stream) if query == "all" else stream.read(query).tokens[:, 0]


def mean(stream: Features) -> Tensor:
    """Return `[rows, width]` of a padded stream: the mean of the tokens that are no padding."""
    if stream.mask is None:
        return stream.tokens.mean(1)
    share = stream.mask.to(stream.tokens.dtype)  # [rows, n]
    share = share / share.sum(1, keepdim=True)
    return torch.einsum("rn,rnc->rc", share, stream.tokens)
