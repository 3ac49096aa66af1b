"""Multi-head attention on rows of any form, and of two streams to each other."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from renaissance.compiler.kernels import coattention
from renaissance.compiler.lowering.absorption import absorbs, attend_to_few, attend_to_many
from renaissance.compiler.lowering.dispatch import (
    attend,
    choose,
    draw_seed,
    hidden_scores,
    implementation_for,
)
from renaissance.compiler.lowering.dropped_attention import attend_by_heads, drops_by_heads
from renaissance.compiler.lowering.linear import as_it_runs
from renaissance.compiler.lowering.plainness import every_call_is_watched, is_plain
from renaissance.compiler.model.attention import MultiHeadAttention, attention
from renaissance.compiler.model.features import Features
from renaissance.compiler.standing import product_dtype
from renaissance.grammar.schema.model import Attention


class LoweredMultiHead(MultiHeadAttention):
    """Multi-head attention of streams that are padded or packed.

    Attributes:
        asked: implementation of attention that is taken where it fits; None for the plain one.
        joins: whether one product makes queries, keys and values.
        absorbs: whether a far shorter stream absorbs the projections of a longer one.
    """

    asked: Attention | None = None
    joins: bool = False
    absorbs: bool = False

    def forward(self, stream: Features, context: Features) -> Tensor:
        """Let a stream attend to a context whose rows correspond.

        Args:
            stream: what asks, tokens of `width` in any form.
            context: what answers, tokens of `context_width` in any form.

        Returns:
            Tokens in the form of the stream's.
        """
        if self._absorbs(stream, context):
            query = self._project(stream, self.query)
            return self._joined(attend_to_many(query, context, self.key, self.value, self._dropout))
        if context is stream:
            return self._joined(self._attend_to_itself(stream))
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
        if self._launches(asking[0], answering[0]):
            fused = self._both_packed(asking, answering)
        else:
            fused = (
                self._attend(asking[0], *answering[1:]),
                self._attend(answering[0], *asking[1:]),
            )
        return self._joined(fused[0]), self._joined(fused[1])

    def wants_packed(self, streams: Iterable[Features]) -> bool:
        """Whether kernels run for streams of this width, so that packing them once is of use."""
        streams = list(streams)
        if self.asked is None:
            return False
        one = streams[0].tokens
        chosen = choose(
            self.asked,
            device=one.device,
            dtype=product_dtype(one),
            head_dim=self.head_dim,
            ragged=any(stream.ragged for stream in streams),
        )
        return chosen.implementation == "triton"

    def _absorbs(self, few: Features, many: Features) -> bool:
        return (
            self.absorbs
            and absorbs(few, many, self.heads, self.heads * self.head_dim)
            and self._plain(self.query, self.key, self.value, self.output)
        )

    def _plain(self, *parts: nn.Module) -> bool:
        return all(map(is_plain, parts)) and not every_call_is_watched()

    def _project(self, stream: Features, projection: nn.Module) -> Features:
        return stream.with_tokens(self._split(projection(stream.tokens)))

    def _projected(self, *streams: Features) -> list[tuple[Features, Features, Features]]:
        """Return queries, keys and values of each stream; one product makes all three."""
        if not self._joins_here():
            return [
                (
                    self._project(stream, self.query),
                    self._project(stream, self.key),
                    self._project(stream, self.value),
                )
                for stream in streams
            ]
        return [_apart(joint) for joint in self._joint(*streams)]

    def _joins_here(self) -> bool:
        return self.joins and self._plain(self.query, self.key, self.value)

    def _joint(self, *streams: Features) -> list[Features]:
        """Return tokens `[..., 3, heads, head_dim]` of each stream."""
        # Joined, and under autocast cast, once for all streams.
        parts = (self.query, self.key, self.value)
        dtype = product_dtype(self.query.weight)
        weight = torch.cat([part.weight for part in parts]).to(dtype)
        bias = torch.cat([part.bias for part in parts]).to(dtype)
        found = []
        for stream in streams:
            projected = as_it_runs(self.query)(stream.tokens, weight, bias)
            split = projected.view(*projected.shape[:-1], len(parts), self.heads, -1)
            found.append(stream.with_tokens(split))
        return found

    def _attend_to_itself(self, stream: Features) -> Tensor:
        if self.asked is None or not self._joins_here():
            return self._attend(*self._projected(stream)[0])
        [joint] = self._joint(stream)
        if self._launches(joint, joint):
            return self._attend(*_apart(joint))
        rows = joint.padded()  # all three at once
        if drops_by_heads(rows.tokens, self._dropout):
            hidden = None  # [rows, 1, n]
            if rows.mask is not None:
                hidden = hidden_scores(rows.mask[:, None], rows.tokens.dtype)
            attended = attend_by_heads(rows.tokens, hidden, self._dropout)
        else:
            attended = self._attend(*_apart(rows))
        return joint.from_padded(attended)

    def _attend(self, query: Features, key: Features, value: Features) -> Tensor:
        if self.asked is not None:
            return attend(query, key, value, attention=self.asked, dropout=self._dropout)
        asking, answering, summed = (
            stream.padded().tokens.transpose(1, 2) for stream in (query, key, value)
        )
        found = attention(asking, answering, summed, key.padded().mask, self._dropout)
        return query.from_padded(found.transpose(1, 2))

    def _launches(self, query: Features, key: Features) -> bool:
        return self.asked is not None and implementation_for(query, key, self.asked) == "triton"

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


def _apart(joint: Features) -> tuple[Features, Features, Features]:
    """Return queries, keys and values of tokens `[..., 3, heads, head_dim]`."""
    query, key, value = (joint.with_tokens(part) for part in joint.tokens.unbind(-3))
    return query, key, value


def lowered_attentions(model: nn.Module) -> Iterator[LoweredMultiHead]:
    """Let every attention of a model take rows of any form, and yield it."""
    for part in model.modules():
        if type(part) is MultiHeadAttention:
            part.__class__ = LoweredMultiHead
        if isinstance(part, LoweredMultiHead):
            yield part
