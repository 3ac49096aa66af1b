"""Encoders of transformers with the project's attention, through its own two registries.

A name in the first registry alone would lose the padding mask without a word: the second one holds
what makes the mask. Many encoders accept a name and never call it, so each use is proved.
"""

from functools import partial
from typing import Any, get_args

from torch import Tensor, nn
from transformers import (
    AttentionInterface,
    AttentionMaskInterface,
    PretrainedConfig,
    PreTrainedModel,
)
from transformers.masking_utils import bidirectional_mask_function

from renaissance.compiler.backbones.hook import HookError, Library, Rows, hooked_attention
from renaissance.compiler.packing import Packing
from renaissance.grammar.schema.model import Attention

_WINDOWS = ("sliding_window", "local_attention")


def hook_refusal(encoder: PreTrainedModel) -> str | None:
    """Say why an encoder cannot be given another attention, if its library says so; a phrase."""
    if not getattr(type(encoder), "_supports_attention_backend", False):
        return f"`{encoder.config.model_type}` offers no hook"
    if getattr(encoder.config, "is_decoder", False):
        return f"`{encoder.config.model_type}` looks back only"
    if any(getattr(encoder.config, name, None) for name in _WINDOWS):
        return f"`{encoder.config.model_type}` looks at a window only"
    return None


def set_attention(config: PretrainedConfig, asked: Attention | Library) -> None:
    """Let the layers of an encoder run the project's attention, or its library's, from now on."""
    config._attn_implementation = asked.name if isinstance(asked, Library) else _NAMES[asked]


def attention_layers(config: PretrainedConfig) -> int:
    """Return how many times an encoder computes attention in one pass."""
    depths = getattr(config, "depths", None)
    if depths is not None:
        return sum(depths)
    layers = getattr(config, "num_hidden_layers", None) or config.n_layers
    return int(layers) * int(getattr(config, "inner_group_num", 1))


def configuration_key(config: PretrainedConfig) -> str:
    """Return what is the same for encoders of the same layers, whoever made them."""
    return str(config.to_json_string(use_diff=False))


def head_widths(config: PretrainedConfig) -> tuple[int, ...]:
    """Return the widths of an encoder's heads, each once."""
    heads: Any = getattr(config, "num_attention_heads", None) or getattr(config, "n_heads", None)
    if hasattr(config, "depths"):
        stages = getattr(config, "num_heads", None) or ()
        return tuple(sorted({config.embed_dim * 2**i // n for i, n in enumerate(stages)}))
    width = getattr(config, "hidden_size", None) or getattr(config, "dim", None)
    return (width // heads,) if width and heads else ()


def _attention(
    asked: Attention,
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Rows,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    is_causal: bool | None = None,
    sliding_window: int | None = None,
    cu_seq_lens_q: Tensor | None = None,
    max_length_q: int = 0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attend as transformers asks for it; what it passes besides is meant for other functions."""
    if is_causal or getattr(module, "is_causal", False) or sliding_window is not None:
        raise HookError("the layers do not look at the whole row")
    rows = attention_mask
    if cu_seq_lens_q is not None:
        rows = Packing(cumulative=cu_seq_lens_q, longest=max_length_q)
    attended = hooked_attention(
        query, key, value, rows, attention=asked, scale=scaling, dropout=dropout
    )
    return attended, None


def _mask(
    *,
    attention_mask: Tensor | None = None,
    mask_function: Any = bidirectional_mask_function,
    **_: Any,
) -> Tensor | None:
    """Hand the mask `[rows, n]` on as it is."""
    if mask_function is not bidirectional_mask_function:
        raise HookError("the layers do not look at the whole row")
    return attention_mask


_NAMES: dict[Attention, str] = {asked: f"renaissance_{asked}" for asked in get_args(Attention)}
"""What transformers calls the project's attention, for each implementation that a spec may ask for.

Registered as soon as this file is imported: a saved model names it in its configuration.
"""

for _asked, _name in _NAMES.items():
    AttentionInterface.register(_name, partial(_attention, _asked))
    AttentionMaskInterface.register(_name, _mask)
