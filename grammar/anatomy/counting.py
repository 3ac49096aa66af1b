"""How many parameters encoders of transformers have, by the settings of families that are alike.

Nothing is said of other families, nor of settings that change what a layer consists of.
"""

from collections.abc import Callable, Mapping
from typing import Any

from renaissance.grammar.architectures import Architecture

Config = Mapping[str, Any]

_USUAL: Mapping[str, tuple[object, ...]] = {
    "add_cross_attention": (False,),
    "is_decoder": (False,),
    "position_embedding_type": ("absolute",),
    "qkv_bias": (True,),
    "sinusoidal_pos_embds": (False,),
    "use_swiglu_ffn": (False,),
}
"""Settings, with the values for which the numbers here hold, as when they are absent."""


def parameters_of(
    known: Architecture, *, image_size: int | None = None, layers: int | None = None
) -> int | None:
    """Return how many parameters an encoder has without what pools; None where nobody knows here.

    Args:
        known: of transformers.
        image_size: height and width of its images, pixels; its own if None.
        layers: how many of its first layers are taken; all if None.
    """
    count = _FAMILIES.get(known.model_type) if known.library == "transformers" else None
    config = known.config
    usual = all(config.get(name, values[0]) in values for name, values in _USUAL.items())
    if count is None or not usual:
        return None
    if image_size is not None:
        config = {**config, "image_size": image_size}
    try:
        outside, layer = count(config)
    except (ArithmeticError, LookupError, TypeError):
        return None  # a setting is absent, or of another kind
    return outside + layer * (known.layers or 0 if layers is None else layers)


def _linear(inner: int, outer: int) -> int:
    return inner * outer + outer


def _layer(width: int, inner: int) -> int:
    """Attention, a feed-forward part, and a norm for each."""
    norms = 2 * 2 * width
    return 4 * _linear(width, width) + _linear(width, inner) + _linear(inner, width) + norms


def _bert(config: Config) -> tuple[int, int]:
    width = config["hidden_size"]
    embedded = config.get("embedding_size", width)
    rows = config["vocab_size"] + config["max_position_embeddings"] + config["type_vocab_size"]
    projection = _linear(embedded, width) if embedded != width else 0
    outside = (rows + 2) * embedded + projection
    return outside, _layer(width, config["intermediate_size"])


def _distilbert(config: Config) -> tuple[int, int]:
    width = config["dim"]
    rows = config["vocab_size"] + config["max_position_embeddings"]
    return (rows + 2) * width, _layer(width, config["hidden_dim"])


def _clip_text(config: Config) -> tuple[int, int]:
    width = config["hidden_size"]
    rows = config["vocab_size"] + config["max_position_embeddings"]
    return (rows + 2) * width, _layer(width, config["intermediate_size"])


def _clip_vision(config: Config) -> tuple[int, int]:
    width = config["hidden_size"]
    tokens = 1 + _patches(config)
    class_token_and_norms = 5
    patch = 3 * config["patch_size"] ** 2
    outside = (tokens + class_token_and_norms + patch) * width
    return outside, _layer(width, config["intermediate_size"])


def _vit(config: Config, tokens: int = 1) -> tuple[int, int]:
    """Count a vision transformer with some tokens in front of its patches."""
    width = config["hidden_size"]
    mask = 1 if config.get("use_mask_token") else 0
    norm = 2
    rows = 2 * tokens + _patches(config) + mask + norm
    outside = rows * width + _linear(3 * config["patch_size"] ** 2, width)
    return outside, _layer(width, config["intermediate_size"])


def _deit(config: Config) -> tuple[int, int]:
    return _vit(config, tokens=2)


def _dinov2(config: Config) -> tuple[int, int]:
    width = config["hidden_size"]
    inner = int(width * config["mlp_ratio"])
    outside, layer = _vit({"use_mask_token": True, **config, "intermediate_size": inner})
    scales = 2 * width
    return outside, layer + scales


def _patches(config: Config) -> int:
    side: int = config["image_size"] // config["patch_size"]
    return side * side


_FAMILIES: Mapping[str, Callable[[Config], tuple[int, int]]] = {
    "bert": _bert,
    "camembert": _bert,
    "clip_text_model": _clip_text,
    "clip_vision_model": _clip_vision,
    "deit": _deit,
    "dinov2": _dinov2,
    "distilbert": _distilbert,
    "electra": _bert,
    "roberta": _bert,
    "vit": _vit,
    "xlm-roberta": _bert,
}
"""Parameters outside of the layers, and of one layer, by family."""
