"""Encoders of images."""

from typing import Any

from renaissance.grammar.architectures import HALF, IMAGENET
from renaissance.grammar.catalogue.published import Config, Published, converted, vit

_BEIT_BASE = vit(
    "beit",
    12,
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
_SCRIPTS = {
    "convnext": "convnext/convert_convnext_to_pytorch.py",
    "convnextv2": "convnextv2/convert_convnextv2_to_pytorch.py",
    "dinov2": "dinov2/convert_dinov2_to_hf.py",
    "dinov2_with_registers": "dinov2_with_registers/convert_dinov2_with_registers_to_hf.py",
    "dinov3_convnext": "dinov3_convnext/convert_dinov3_convnext_to_hf.py",
    "dinov3_vit": "dinov3_vit/convert_dinov3_vit_to_hf.py",
    "swin": "swin/convert_swin_timm_to_pytorch.py",
}
"""Of families whose model cards do not state every size."""

_SWIN_TINY = (96, (2, 2, 6, 2), 3)
_SWIN_SMALL = (96, (2, 2, 18, 2), 3)
_SWIN_BASE = (128, (2, 2, 18, 2), 4)
_SWIN_LARGE = (192, (2, 2, 18, 2), 6)
_CONVNEXT_TINY = (96, (3, 3, 9, 3))
_CONVNEXT_SMALL = (96, (3, 3, 27, 3))
_CONVNEXT_BASE = (128, (3, 3, 27, 3))
_CONVNEXT_LARGE = (192, (3, 3, 27, 3))


def _swin(size: tuple[int, tuple[int, ...], int], image_size: int = 224, window: int = 7) -> Config:
    width, depths, heads = size
    return {
        "model_type": "swin",
        "image_size": image_size,
        "patch_size": 4,
        "num_channels": 3,
        "embed_dim": width,
        "depths": list(depths),
        "num_heads": [heads * 2**stage for stage in range(len(depths))],
        "window_size": window,
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


def _convnext(
    model_type: str, size: tuple[int, tuple[int, ...]], image_size: int = 224, **other: Any
) -> Config:
    width, depths = size
    return {
        "model_type": model_type,
        "image_size": image_size,
        "num_channels": 3,
        "hidden_sizes": [width * 2**stage for stage in range(len(depths))],
        "depths": list(depths),
        "hidden_act": "gelu",
        "initializer_range": 0.02,
        "drop_path_rate": 0.0,
    } | other


def _convnext_v1(size: tuple[int, tuple[int, ...]], image_size: int = 224) -> Config:
    own: dict[str, Any] = {
        "patch_size": 4,
        "layer_norm_eps": 1e-12,
        "layer_scale_init_value": 1e-06,
    }
    return _convnext("convnext", size, image_size, **own)


def _convnext_v2(size: tuple[int, tuple[int, ...]], image_size: int = 224) -> Config:
    return _convnext("convnextv2", size, image_size, patch_size=4, layer_norm_eps=1e-12)


def _dinov2(model_type: str, layers: int, width: int, heads: int, **other: Any) -> Config:
    config = vit(
        model_type,
        layers,
        width,
        heads,
        mlp_ratio=4,
        layer_norm_eps=1e-06,
        image_size=518,
        patch_size=14,
        layerscale_value=1.0,
        drop_path_rate=0.0,
        use_swiglu_ffn=False,
        **other,
    )
    return {key: value for key, value in config.items() if key != "intermediate_size"}


def _dinov2_giant(model_type: str, **other: Any) -> Config:
    return dict(_dinov2(model_type, 40, 1536, 24, **other)) | {"use_swiglu_ffn": True}


def _dinov3(layers: int, width: int, heads: int, inner: int, **other: Any) -> Config:
    return {
        "model_type": "dinov3_vit",
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "hidden_act": "gelu",
        "attention_dropout": 0.0,
        "initializer_range": 0.02,
        "layer_norm_eps": 1e-05,
        "rope_theta": 100.0,
        "image_size": 224,
        "patch_size": 16,
        "num_channels": 3,
        "query_bias": True,
        "key_bias": False,
        "value_bias": True,
        "proj_bias": True,
        "mlp_bias": True,
        "layerscale_value": 1.0,
        "drop_path_rate": 0.0,
        "use_gated_mlp": False,
        "num_register_tokens": 4,
    } | other


_GATED = {"use_gated_mlp": True, "hidden_act": "silu"}


def _dinov3_convnext(size: tuple[int, tuple[int, ...]]) -> Config:
    own: dict[str, Any] = {"layer_norm_eps": 1e-06, "layer_scale_init_value": 1e-06}
    return _convnext("dinov3_convnext", size, **own)


def _named(
    model: str, config: Config, statistics: Any = IMAGENET, *, others: tuple[str, ...] = ()
) -> Published:
    stated = converted(script) if (script := _SCRIPTS.get(config["model_type"])) else ""
    return Published((model, *others), config, statistics, stated=stated)


IMAGES = (
    _named("google/vit-base-patch16-224", vit("vit", 12, 768, 12), HALF),
    _named("google/vit-base-patch16-224-in21k", vit("vit", 12, 768, 12), HALF),
    _named("google/vit-base-patch16-384", vit("vit", 12, 768, 12, image_size=384), HALF),
    _named(
        "google/vit-base-patch32-384",
        vit("vit", 12, 768, 12, image_size=384, patch_size=32),
        HALF,
    ),
    _named("google/vit-large-patch16-224", vit("vit", 24, 1024, 16), HALF),
    _named("facebook/deit-tiny-patch16-224", vit("vit", 12, 192, 3)),
    _named("facebook/deit-small-patch16-224", vit("vit", 12, 384, 6)),
    _named("facebook/deit-base-patch16-224", vit("vit", 12, 768, 12)),
    _named("facebook/deit-tiny-distilled-patch16-224", vit("deit", 12, 192, 3)),
    _named("facebook/deit-small-distilled-patch16-224", vit("deit", 12, 384, 6)),
    _named("facebook/dino-vits16", vit("vit", 12, 384, 6)),
    _named("facebook/dino-vitb16", vit("vit", 12, 768, 12)),
    _named("facebook/dinov2-small", _dinov2("dinov2", 12, 384, 6)),
    _named("facebook/dinov2-base", _dinov2("dinov2", 12, 768, 12)),
    _named("facebook/dinov2-large", _dinov2("dinov2", 24, 1024, 16)),
    _named("facebook/dinov2-giant", _dinov2_giant("dinov2")),
    *(
        _named(
            f"facebook/dinov2-with-registers-{size}",
            make("dinov2_with_registers", *numbers, num_register_tokens=4),
        )
        for size, make, *numbers in (
            ("small", _dinov2, 12, 384, 6),
            ("base", _dinov2, 12, 768, 12),
            ("large", _dinov2, 24, 1024, 16),
            ("giant", _dinov2_giant),
        )
    ),
    _named("facebook/dinov3-vits16-pretrain-lvd1689m", _dinov3(12, 384, 6, 1536)),
    _named("facebook/dinov3-vits16plus-pretrain-lvd1689m", _dinov3(12, 384, 6, 1536, **_GATED)),
    _named("facebook/dinov3-vitb16-pretrain-lvd1689m", _dinov3(12, 768, 12, 3072)),
    _named("facebook/dinov3-vitl16-pretrain-lvd1689m", _dinov3(24, 1024, 16, 4096)),
    _named("facebook/dinov3-vith16plus-pretrain-lvd1689m", _dinov3(32, 1280, 20, 5120, **_GATED)),
    _named(
        "facebook/dinov3-vit7b16-pretrain-lvd1689m",
        _dinov3(40, 4096, 32, 8192, **_GATED, query_bias=False, value_bias=False),
    ),
    _named("facebook/dinov3-convnext-tiny-pretrain-lvd1689m", _dinov3_convnext(_CONVNEXT_TINY)),
    _named("facebook/dinov3-convnext-small-pretrain-lvd1689m", _dinov3_convnext(_CONVNEXT_SMALL)),
    _named("facebook/dinov3-convnext-base-pretrain-lvd1689m", _dinov3_convnext(_CONVNEXT_BASE)),
    _named("facebook/dinov3-convnext-large-pretrain-lvd1689m", _dinov3_convnext(_CONVNEXT_LARGE)),
    _named("microsoft/beit-base-patch16-224", _BEIT_BASE, HALF),
    _named("microsoft/swin-tiny-patch4-window7-224", _swin(_SWIN_TINY)),
    _named("microsoft/swin-small-patch4-window7-224", _swin(_SWIN_SMALL)),
    *(
        _named(
            f"microsoft/swin-{name}-patch4-window{window}-{pixels}",
            _swin(size, pixels, window),
            others=(f"microsoft/swin-{name}-patch4-window{window}-{pixels}-in22k",),
        )
        for name, size in (("base", _SWIN_BASE), ("large", _SWIN_LARGE))
        for pixels, window in ((224, 7), (384, 12))
    ),
    _named("facebook/convnext-tiny-224", _convnext_v1(_CONVNEXT_TINY)),
    _named("facebook/convnext-small-224", _convnext_v1(_CONVNEXT_SMALL)),
    _named("facebook/convnext-base-224", _convnext_v1(_CONVNEXT_BASE)),
    _named("facebook/convnext-base-384", _convnext_v1(_CONVNEXT_BASE, 384)),
    _named("facebook/convnext-large-224", _convnext_v1(_CONVNEXT_LARGE)),
    _named("facebook/convnext-large-384", _convnext_v1(_CONVNEXT_LARGE, 384)),
    *(
        _named(
            f"facebook/convnextv2-{name}-22k-224",
            _convnext_v2(size),
            others=(f"facebook/convnextv2-{name}-1k-224",),
        )
        for name, size in (
            ("tiny", _CONVNEXT_TINY),
            ("base", _CONVNEXT_BASE),
            ("large", _CONVNEXT_LARGE),
        )
    ),
    *(
        _named(f"facebook/convnextv2-{name}-22k-384", _convnext_v2(size, 384))
        for name, size in (
            ("tiny", _CONVNEXT_TINY),
            ("base", _CONVNEXT_BASE),
            ("large", _CONVNEXT_LARGE),
        )
    ),
)
