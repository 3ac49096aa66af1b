"""The pre-norm transformer stack of `plain` models."""

from torch import Tensor, nn

from renaissance.compiler.errors import CompileError
from renaissance.compiler.model.attention import MultiHeadAttention
from renaissance.compiler.model.dropout import Dropout
from renaissance.compiler.model.features import Features
from renaissance.grammar.kinds.source import Activation, StackDimensions

ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "gelu": nn.GELU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
}


class FeedForward(nn.Module):
    """Two linear maps with an activation between them.

    Args:
        width: channels of input and output.
        ratio: width between the maps over `width`.
        activation: name of the activation.
    """

    def __init__(self, width: int, ratio: float, activation: Activation) -> None:
        super().__init__()
        self.inner = nn.Linear(width, round(width * ratio))
        self.activation = ACTIVATIONS[activation]()
        self.outer = nn.Linear(round(width * ratio), width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map `[..., width]` to `[..., width]`."""
        return self.outer(self.activation(self.inner(tokens)))  # type: ignore[no-any-return]


class PreNormLayer(nn.Module):
    """Self-attention and feed-forward part, each normalised before and added to its input.

    Source: Xiong et al. 2020, On Layer Normalization in the Transformer Architecture.
    """

    def __init__(self, spec: StackDimensions) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(spec.width, eps=spec.eps)
        self.attention = MultiHeadAttention(spec.width, spec.heads, spec.dropout)
        self.mlp_norm = nn.LayerNorm(spec.width, eps=spec.eps)
        self.mlp = FeedForward(spec.width, spec.mlp_ratio, spec.activation)
        self.dropout = Dropout(spec.dropout)

    def forward(self, stream: Features) -> Features:
        """Map tokens `[rows, n, width]` to the same shape."""
        return self.fed(self.attended(stream))

    def attended(self, stream: Features) -> Features:
        """Let the tokens of each row attend to each other."""
        normed = stream.with_tokens(self.attention_norm(stream.tokens))
        update = self.attention(normed, normed)  # [rows, n, width]
        return stream.with_tokens(self.dropout.add(update, stream.tokens))

    def fed(self, stream: Features) -> Features:
        """Map each token alone."""
        update = self.mlp(self.mlp_norm(stream.tokens))  # [rows, n, width]
        return stream.with_tokens(self.dropout.add(update, stream.tokens))


class PreNormStack(nn.Module):
    """Layers and the norm behind the last of them."""

    def __init__(self, spec: StackDimensions, address: str) -> None:
        super().__init__()
        check_heads(spec.width, spec.heads, address)
        self.width = spec.width
        self.layers = nn.ModuleList(PreNormLayer(spec) for _ in range(spec.layers))
        self.norm = nn.LayerNorm(spec.width, eps=spec.eps)

    def forward(self, stream: Features) -> Features:
        """Map tokens `[rows, n, width]` to the same shape."""
        for layer in self.layers:
            stream = layer(stream)
        return stream.with_tokens(self.norm(stream.tokens))


def check_heads(width: int, heads: int, address: str) -> None:
    """Refuse heads that do not divide the width.

    Raises:
        CompileError: with the address of the component.
    """
    if width % heads:
        raise CompileError(f"`{address}`: {heads} heads do not divide a width of {width}")
