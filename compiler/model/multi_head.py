"""Multi-head attention of one stream to another, and of two streams to each other."""

import torch
from torch import Tensor, nn

from renaissance.compiler.features import Features
from renaissance.compiler.kernels import coattention
from renaissance.compiler.lowering.absorption import absorbs, attend_to_few, attend_to_many
from renaissance.compiler.lowering.attention import attend, draw_seed, implementation_for
from renaissance.compiler.lowering.linear import linear
from renaissance.compiler.lowering.plainness import every_call_is_watched, is_plain
from renaissance.compiler.standing import product_dtype
from renaissance.grammar.schema.model import Attention


class MultiHeadAttention(nn.Module):
    """Attention in several heads with a projection in front of each part and one behind.

    Source: Vaswani et al. 2017, section 3.2.2.

    Args:
        width: channels of queries, keys and output.
        heads: attention heads; divides `width`.
        dropout: probability of dropping an attention weight in training.
        attention: implementation that the spec asks for.
    """

    def __init__(self, width: int, heads: int, dropout: float, attention: Attention) -> None:
        super().__init__()
        self.attention = attention
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, stream: Features, context: Features) -> Tensor:
        """Let a stream attend to a context whose rows correspond.

        Args:
            stream: what asks, tokens of `width`.
            context: what answers, tokens of `width`.

        Returns:
            Tokens in the form of the stream's.
        """
        if self._absorbs(stream, context):
            query = self._project(stream, self.query)
            return self._joined(attend_to_many(query, context, self.key, self.value, self._dropout))
        if context is stream:
            return self._joined(self._attend(*self._projected(stream)[0]))
        key, value = self._project(context, self.key), self._project(context, self.value)
        if self._absorbs(context, stream):
            return attend_to_few(stream, key, value, self.query, self.output, self._dropout)
        return self._joined(self._attend(self._project(stream, self.query), key, value))

    def both(self, first: Features, second: Features) -> tuple[Tensor, Tensor]:
        """Let two streams attend to each other with the same weights, in one launch on a GPU.

        Returns:
            Tokens in the form of either stream's.

        Source: Lu et al. 2019, ViLBERT, section 3.1.
        """
        if self._absorbs(first, second) or self._absorbs(second, first):
            return self(first, second), self(second, first)
        asking, answering = self._projected(first, second)
        if implementation_for(asking[0], answering[0], self.attention) == "triton":
            fused = self._both_packed(asking, answering)
        else:
            fused = (
                self._attend(asking[0], *answering[1:]),
                self._attend(answering[0], *asking[1:]),
            )
        return self._joined(fused[0]), self._joined(fused[1])

    def _absorbs(self, few: Features, many: Features) -> bool:
        return (
            self.attention in ("auto", "sdpa")
            and absorbs(few, many, self.heads)
            and self._plain(self.query, self.key, self.value, self.output)
        )

    def _plain(self, *parts: nn.Module) -> bool:
        return all(map(is_plain, parts)) and not every_call_is_watched()

    def _project(self, stream: Features, projection: nn.Module) -> Features:
        return stream.with_tokens(self._split(projection(stream.tokens)))

    def _projected(self, *streams: Features) -> list[tuple[Features, Features, Features]]:
        """Return queries, keys and values of each stream; one product makes all three."""
        parts = (self.query, self.key, self.value)
        if not self._plain(*parts):
            return [
                (
                    self._project(stream, self.query),
                    self._project(stream, self.key),
                    self._project(stream, self.value),
                )
                for stream in streams
            ]
        # Joined, and under autocast cast, once for all streams.
        dtype = product_dtype(self.query.weight)
        weight = torch.cat([part.weight for part in parts]).to(dtype)
        bias = torch.cat([part.bias for part in parts]).to(dtype)
        found = []
        for stream in streams:
            projected = linear(stream.tokens, weight, bias)
            split = projected.view(*projected.shape[:-1], len(parts), self.heads, -1)
            query, key, value = (stream.with_tokens(part) for part in split.unbind(-3))
            found.append((query, key, value))
        return found

    def _attend(self, query: Features, key: Features, value: Features) -> Tensor:
        return attend(query, key, value, attention=self.attention, dropout=self._dropout)

    def _both_packed(
        self,
        first: tuple[Features, Features, Features],
        second: tuple[Features, Features, Features],
    ) -> tuple[Tensor, Tensor]:
        asking, answering = first[0].packed(), second[0].packed()
        assert asking.packing is not None and answering.packing is not None  # as packed
        one, other = coattention(
            asking.tokens,
            first[1].packed().tokens,
            first[2].packed().tokens,
            answering.tokens,
            second[1].packed().tokens,
            second[2].packed().tokens,
            asking.packing.cumulative,
            answering.packing.cumulative,
            asking.packing.longest,
            answering.packing.longest,
            dropout=self._dropout,
            seed=draw_seed(asking.tokens.device) if self._dropout else 0,
        )
        return first[0].from_packed(one), second[0].from_packed(other)

    @property
    def _dropout(self) -> float:
        return self.dropout if self.training else 0.0

    def _split(self, tokens: Tensor) -> Tensor:
        return tokens.view(*tokens.shape[:-1], self.heads, -1)

    def _joined(self, heads: Tensor) -> Tensor:
        return self.output(heads.flatten(-2))  # type: ignore[no-any-return]
