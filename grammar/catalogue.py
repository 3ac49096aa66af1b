"""Published encoders: the numbers of their configurations, by hub id and by timm name."""

from functools import cache
from typing import Any, Literal

from renaissance.grammar.architectures import (
    CLIP,
    HALF,
    IMAGENET,
    Architecture,
    Statistics,
    from_config,
)


def _text(model_type: str, layers: int, width: int, heads: int, **other: Any) -> dict[str, Any]:
    return {
        "model_type": model_type,
        "vocab_size": 30522,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * width,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
    } | other


def _vit(model_type: str, width: int, heads: int, **other: Any) -> dict[str, Any]:
    return {
        "model_type": model_type,
        "hidden_size": width,
        "num_hidden_layers": 12,
        "num_attention_heads": heads,
        "intermediate_size": 4 * width,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-12,
        "image_size": 224,
        "patch_size": 16,
        "num_channels": 3,
        "qkv_bias": True,
    } | other


def _swin(depths: list[int]) -> dict[str, Any]:
    return {
        "model_type": "swin",
        "image_size": 224,
        "patch_size": 4,
        "num_channels": 3,
        "embed_dim": 96,
        "depths": depths,
        "num_heads": [3, 6, 12, 24],
        "window_size": 7,
        "mlp_ratio": 4.0,
        "qkv_bias": True,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "drop_path_rate": 0.1,
        "hidden_act": "gelu",
        "use_absolute_embeddings": False,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-05,
        "encoder_stride": 32,
    }


_BERT_BASE = _text("bert", 12, 768, 12)
_BERT_TINY = _text("bert", 2, 128, 2)
_MINILM_6 = _text("bert", 6, 384, 12)
_MINILM_12 = _text("bert", 12, 384, 12)
_ROBERTA_BASE = _text(
    "roberta",
    12,
    768,
    12,
    vocab_size=50265,
    max_position_embeddings=514,
    type_vocab_size=1,
    layer_norm_eps=1e-05,
    pad_token_id=1,
    bos_token_id=0,
    eos_token_id=2,
)
_DISTILBERT = {
    "model_type": "distilbert",
    "vocab_size": 30522,
    "max_position_embeddings": 512,
    "sinusoidal_pos_embds": False,
    "n_layers": 6,
    "n_heads": 12,
    "dim": 768,
    "hidden_dim": 3072,
    "dropout": 0.1,
    "attention_dropout": 0.1,
    "activation": "gelu",
    "initializer_range": 0.02,
    "pad_token_id": 0,
}
_BEIT_BASE = _vit(
    "beit",
    768,
    12,
    vocab_size=8192,
    use_mask_token=False,
    use_absolute_position_embeddings=False,
    use_relative_position_bias=True,
    use_shared_relative_position_bias=False,
    layer_scale_init_value=0.1,
    drop_path_rate=0.1,
    use_mean_pooling=True,
)
_CLIP_BASE = {
    "model_type": "clip_vision_model",
    "hidden_size": 768,
    "intermediate_size": 3072,
    "projection_dim": 512,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "num_channels": 3,
    "image_size": 224,
    "patch_size": 16,
    "hidden_act": "quick_gelu",
    "layer_norm_eps": 1e-05,
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "initializer_factor": 1.0,
}

_CLIP_TEXT = {
    "model_type": "clip_text_model",
    "vocab_size": 49408,
    "hidden_size": 512,
    "intermediate_size": 2048,
    "projection_dim": 512,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
    "layer_norm_eps": 1e-05,
    "attention_dropout": 0.0,
    "initializer_range": 0.02,
    "initializer_factor": 1.0,
    "pad_token_id": 1,
    "bos_token_id": 49406,
    "eos_token_id": 49407,
}

_TRANSFORMERS: tuple[tuple[tuple[str, ...], dict[str, Any], Statistics | None], ...] = (
    (
        ("google/electra-small-discriminator",),
        _text("electra", 12, 256, 4, embedding_size=128),
        None,
    ),
    (
        ("google/electra-base-discriminator",),
        _text("electra", 12, 768, 12, embedding_size=768),
        None,
    ),
    (("bert-base-uncased", "google-bert/bert-base-uncased"), _BERT_BASE, None),
    (("prajjwal1/bert-tiny", "google/bert_uncased_L-2_H-128_A-2"), _BERT_TINY, None),
    (
        ("huawei-noah/TinyBERT_General_4L_312D",),
        _text("bert", 4, 312, 12, intermediate_size=1200),
        None,
    ),
    (("roberta-base", "FacebookAI/roberta-base"), _ROBERTA_BASE, None),
    (("distilbert-base-uncased", "distilbert/distilbert-base-uncased"), _DISTILBERT, None),
    (
        ("sentence-transformers/all-MiniLM-L6-v2", "nreimers/MiniLM-L6-H384-uncased"),
        _MINILM_6,
        None,
    ),
    (
        ("sentence-transformers/all-MiniLM-L12-v2", "microsoft/MiniLM-L12-H384-uncased"),
        _MINILM_12,
        None,
    ),
    (("google/vit-base-patch16-224",), _vit("vit", 768, 12), HALF),
    (
        ("google/vit-base-patch32-384",),
        _vit("vit", 768, 12, image_size=384, patch_size=32),
        HALF,
    ),
    (("facebook/deit-tiny-patch16-224",), _vit("vit", 192, 3), IMAGENET),
    (("facebook/deit-small-patch16-224",), _vit("vit", 384, 6), IMAGENET),
    (("facebook/deit-tiny-distilled-patch16-224",), _vit("deit", 192, 3), IMAGENET),
    (("facebook/deit-small-distilled-patch16-224",), _vit("deit", 384, 6), IMAGENET),
    (("facebook/dino-vits16",), _vit("vit", 384, 6), IMAGENET),
    (("microsoft/beit-base-patch16-224",), _BEIT_BASE, HALF),
    (("microsoft/swin-tiny-patch4-window7-224",), _swin([2, 2, 6, 2]), IMAGENET),
    (("microsoft/swin-small-patch4-window7-224",), _swin([2, 2, 18, 2]), IMAGENET),
    (("openai/clip-vit-base-patch16",), _CLIP_BASE, CLIP),
)


_TEXT_HALVES: dict[str, dict[str, Any]] = {"openai/clip-vit-base-patch16": _CLIP_TEXT}
"""Encoders of texts that models hold beside their encoder of images."""


def _timm(
    name: str,
    width: int,
    heads: int,
    statistics: Statistics,
    *,
    layers: int = 12,
    patch: int = 16,
    image_size: int = 224,
    prefix_tokens: int = 1,
    embedding_width: int | None = None,
) -> Architecture:
    return Architecture(
        id=name,
        library="timm",
        model_type=name,
        modality="vision",
        layers=layers,
        width=width,
        heads=heads,
        mlp_ratio=4.0,
        embedding_width=embedding_width or width,
        sequence=embedding_width is None,
        image_size=image_size,
        patch=patch,
        prefix_tokens=prefix_tokens,
        statistics=statistics,
    )


# A tag names weights, and weights of one architecture may want other pixel statistics: only tags
# that are listed here are known.
_TIMM: tuple[tuple[tuple[str, ...], Architecture], ...] = (
    (("augreg_in21k_ft_in1k",), _timm("vit_tiny_patch16_224", 192, 3, HALF)),
    (("augreg_in21k_ft_in1k", "augreg_in1k"), _timm("vit_small_patch16_224", 384, 6, HALF)),
    (("dino",), _timm("vit_small_patch16_224.dino", 384, 6, IMAGENET)),
    (
        ("augreg2_in21k_ft_in1k", "augreg_in21k_ft_in1k", "augreg_in1k", "orig_in21k_ft_in1k"),
        _timm("vit_base_patch16_224", 768, 12, HALF),
    ),
    (
        ("augreg_in21k_ft_in1k",),
        _timm("vit_base_patch32_384", 768, 12, HALF, patch=32, image_size=384),
    ),
    (("fb_in1k",), _timm("deit_tiny_patch16_224", 192, 3, IMAGENET)),
    (("fb_in1k",), _timm("deit_small_patch16_224", 384, 6, IMAGENET)),
    (("fb_in1k",), _timm("deit_base_patch16_224", 768, 12, IMAGENET)),
    (
        ("fb_in1k",),
        _timm("deit_tiny_distilled_patch16_224", 192, 3, IMAGENET, prefix_tokens=2),
    ),
    (
        ("fb_in1k",),
        _timm("deit_small_distilled_patch16_224", 384, 6, IMAGENET, prefix_tokens=2),
    ),
    (
        ("in22k_ft_in22k_in1k", "in22k_ft_in22k"),
        _timm("beit_base_patch16_224", 768, 12, HALF),
    ),
    (
        ("ms_in1k", "ms_in22k_ft_in1k"),
        _timm(
            "swin_tiny_patch4_window7_224",
            768,
            24,
            IMAGENET,
            patch=4,
            prefix_tokens=0,
            embedding_width=96,
        ),
    ),
    (
        ("ms_in22k_ft_in1k", "ms_in1k"),
        _timm(
            "swin_small_patch4_window7_224",
            768,
            24,
            IMAGENET,
            layers=24,
            patch=4,
            prefix_tokens=0,
            embedding_width=96,
        ),
    ),
    (("openai", "laion2b_ft_in12k_in1k"), _timm("vit_base_patch16_clip_224", 768, 12, CLIP)),
)


def find(id: str, half: Literal["vision", "text"] = "vision") -> Architecture | None:
    """Return the published architecture of this hub id or timm name, or None if it is not known.

    Args:
        id: hub id or timm name.
        half: which one is meant where a model has an encoder of images and one of texts.
    """
    if half == "text" and id in _TEXT_HALVES:
        return from_config(id, _TEXT_HALVES[id], None)
    bare = id.removeprefix("hf-hub:").removeprefix("timm/")
    return published().get(id) or published().get(bare)


def names() -> tuple[str, ...]:
    """Return every id that `find` knows, sorted; for suggestions and completion."""
    return tuple(sorted(published()))


@cache
def published() -> dict[str, Architecture]:
    """Return all published architectures by hub id and by timm name, with and without tags."""
    found = {
        id: from_config(id, config, statistics)
        for ids, config, statistics in _TRANSFORMERS
        for id in ids
    }
    for tags, architecture in _TIMM:
        found[architecture.id] = architecture
        for tag in tags:
            found[f"{architecture.id.partition('.')[0]}.{tag}"] = architecture
    return found
