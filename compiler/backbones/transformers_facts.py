"""What the configuration of an encoder of transformers says about its attention."""

from typing import Any

from transformers import PretrainedConfig, PreTrainedModel

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
