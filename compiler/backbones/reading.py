"""The last layer of a library's stack, computed for no more tokens than are read of it.

What follows the attention in a layer maps each token alone. So the layer is handed the tokens that
are read, and its attention, in the middle of it, all of them.
"""

from typing import Any

from torch import Tensor, nn

from renaissance.compiler.backbones.hook import Rows
from renaissance.compiler.recomputation import as_one

_ATTENTIONS = ("attention", "attn", "self_attn")
_NORMS = ("layernorm_before", "norm1", "layer_norm1")
"""What stands in front of the attention of a layer; nothing where layers normalise behind it."""


def can_read(layer: nn.Module) -> bool:
    """Whether a layer is known to consist of such parts, and nothing compiled hides them."""
    # What torch.compile has traced does not see hooks that come later.
    compiled = getattr(layer, "_compiled_call_impl", None) is not None
    return _part(layer, _ATTENTIONS) is not None and not compiled


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
    attention, norm = _part(layer, _ATTENTIONS), _part(layer, _NORMS)
    assert attention is not None  # as `can_read` says

    def look_at_all(
        module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        everything = tokens if norm is None else norm(tokens)
        if args:
            return (everything, *args[1:]), kwargs
        return args, kwargs | {"hidden_states": everything}

    def answer(module: nn.Module, args: tuple[Any, ...], result: Any) -> Any:
        if isinstance(result, Tensor):
            return _at(result, places)
        return (_at(result[0], places), *result[1:])

    def read(asking: Tensor) -> Any:
        # Hooks, because a sharded layer gathers its weights when the layer itself is called.
        before = attention.register_forward_pre_hook(look_at_all, with_kwargs=True)
        behind = attention.register_forward_hook(answer)
        try:
            return layer(asking, rows)
        finally:
            before.remove()
            behind.remove()

    return as_one(layer, read, _at(tokens, places))  # type: ignore[no-any-return]


def _part(layer: nn.Module, names: tuple[str, ...]) -> nn.Module | None:
    return next((getattr(layer, name) for name in names if hasattr(layer, name)), None)


def _at(tokens: Tensor, places: Tensor) -> Tensor:
    return tokens.flatten(0, 1).index_select(0, places)[None]
