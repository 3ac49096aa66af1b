"""Parts of post-norm layers on rows in any form, and only what is read of them."""

from torch import Tensor

from renaissance.compiler.lowering.multi_head import LoweredMultiHead
from renaissance.compiler.model.features import Features, Queries
from renaissance.compiler.model.post_norm import (
    PostNormAttention,
    PostNormCrossLayer,
    PostNormLayer,
)


class LoweredPostNormAttention(PostNormAttention):
    """Attention to a context, or of two streams to each other."""

    attention: LoweredMultiHead

    def both(self, first: Features, second: Features) -> tuple[Features, Features]:
        """Let two streams attend to each other, with the same weights."""
        one, other = self.attention.both(first, second)
        return (
            first.with_tokens(self.residual(one, first.tokens)),
            second.with_tokens(self.residual(other, second.tokens)),
        )


class LoweredPostNormLayer(PostNormLayer):
    """A layer that maps no more tokens than are read."""

    def forward(self, stream: Features, queries: Queries = "all") -> Features:
        """Map a stream to those of its tokens that are read."""
        if isinstance(queries, Tensor):
            read: Features = self.attention(stream, stream).read(queries)
        else:
            read = self.attention(stream.read(queries), stream)
        return read.with_tokens(self.mlp(read.tokens))


class LoweredPostNormCrossLayer(PostNormCrossLayer):
    """A layer that maps no more tokens than are read."""

    def forward(
        self, stream: Features, context: Features | None = None, queries: Queries = "all"
    ) -> Features:
        """Map a stream to those of its tokens that are read."""
        if isinstance(queries, Tensor):
            attended = self.attention(stream, stream)
            read = self.crossed(attended, context).read(queries)
        else:
            read = self.crossed(self.attention(stream.read(queries), stream), context)
        return read.with_tokens(self.mlp(read.tokens))
