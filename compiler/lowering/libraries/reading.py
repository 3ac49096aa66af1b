"""The last layer of a library's stack, computed for no more tokens than are read of it.

What follows the attention in a layer maps each token alone. So the layer is handed the tokens that
are read, and its attention, in the middle of it, all of them.
"""

from typing import Any

from torch import Tensor, nn

from renaissance.compiler.backbones.rows import Rows
from renaissance.compiler.lowering.recomputation import as_one, is_recomputed

_ATTENTIONS = ("attention", "attn", "self_attn")
_NORMS = ("layernorm_before", "norm1", "layer_norm1")
"""What stands in front of the attention of a layer; nothing where layers normalise behind it."""


def can_read(layer: nn.Module) -> bool:
    """Whether a layer is known to consist of such parts, and nothing hides them."""
    # What torch.compile has traced, or a forward function of its own, sees no other attention.
    compiled = getattr(layer, "_compiled_call_impl", None) is not None
    replaced = "forward" in vars(layer) and not is_recomputed(layer)
    return _name(layer, _ATTENTIONS) is not None and not compiled and not replaced


def read_layer(layer: nn.Module, tokens: Tensor, rows: Rows, places: Tensor) -> Tensor:
    """Return what a layer makes of some tokens that attend to all.

    Args:
        layer: one that `can_read`.
        tokens: `[rows, n, width]`; packed `[1, tokens, width]`.
        rows: what the layer takes as a mask.
        places: `[k]` int64 in the flattened tokens.

    Returns:
        `[1, k, width]`.
    """
    name, norm = _name(layer, _ATTENTIONS), _name(layer, _NORMS)
    assert name is not None  # as `can_read` says
    looking = _LookingAtAll(
        getattr(layer, name), None if norm is None else getattr(layer, norm), tokens, places
    )
    # The layer with another attention, for this call alone: other threads see nothing of it, and
    # what a sharded layer does when it is called is done.
    reader = object.__new__(type(layer))
    reader.__dict__ |= layer.__dict__ | {"_modules": {**layer._modules, name: looking}}
    reader.__dict__.pop("forward", None)  # `as_one` sees to it that all of this runs again

    def read(asking: Tensor) -> Any:
        return reader(asking, rows)

    return as_one(layer, read, _at(tokens, places))  # type: ignore[no-any-return]


class _LookingAtAll(nn.Module):
    """An attention that is given all tokens and returns those that are read."""

    def __init__(
        self, attention: nn.Module, norm: nn.Module | None, tokens: Tensor, places: Tensor
    ) -> None:
        super().__init__()
        self.attention, self.norm = attention, norm
        self.tokens, self.places = tokens, places

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Take what the layer gives its attention; all tokens stand in for those that ask."""
        everything = self.tokens if self.norm is None else self.norm(self.tokens)
        if args:
            result = self.attention(everything, *args[1:], **kwargs)
        else:
            result = self.attention(**kwargs | {"hidden_states": everything})
        if isinstance(result, Tensor):
            return _at(result, self.places)
        return (_at(result[0], self.places), *result[1:])


def _name(layer: nn.Module, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if hasattr(layer, name)), None)


def _at(tokens: Tensor, places: Tensor) -> Tensor:
    return tokens.flatten(0, 1).index_select(0, places)[None]
