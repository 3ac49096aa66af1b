"""Models that hold an encoder of images and one of texts: CLIP, SigLIP and SigLIP 2."""

from typing import Any

from renaissance.grammar.architectures import CLIP, HALF
from renaissance.grammar.catalogue.published import Config, Published, converted

_BASE = (12, 768, 12, 3072)
_LARGE = (24, 1024, 16, 4096)
_SO400M = (27, 1152, 16, 4304)
"""Layers, width, heads, and width of the feed-forward part."""

Size = tuple[int, int, int, int]

_OPEN_CLIP = "https://github.com/mlfoundations/open_clip/blob/main/src/open_clip/model_configs"


def _encoder(model_type: str, size: Size, **other: Any) -> Config:
    layers, width, heads, inner = size
    return {
        "model_type": model_type,
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "attention_dropout": 0.0,
    } | other


def _clip(
    name: str, images: Size, texts: Size, patch: int, stated: str, image_size: int = 224
) -> Published:
    own = {
        "projection_dim": texts[1],
        "hidden_act": "quick_gelu",
        "layer_norm_eps": 1e-05,
        "initializer_range": 0.02,
        "initializer_factor": 1.0,
    }
    seen = {"num_channels": 3, "image_size": image_size, "patch_size": patch}
    read = {
        "vocab_size": 49408,
        "max_position_embeddings": 77,
        "pad_token_id": 1,
        "bos_token_id": 49406,
        "eos_token_id": 49407,
    }
    return Published(
        (f"openai/{name}",),
        _encoder("clip_vision_model", images, **own, **seen),
        CLIP,
        _encoder("clip_text_model", texts, **own, **read),
        stated=f"{_OPEN_CLIP}/{stated}-quickgelu.json",
    )


def _siglip(name: str, size: Size, patch: int, image_size: int, vocabulary: int) -> Published:
    own = {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-06}
    seen = {"num_channels": 3, "image_size": image_size, "patch_size": patch}
    read = {"vocab_size": vocabulary, "max_position_embeddings": 64}
    return Published(
        (f"google/{name}",),
        _encoder("siglip_vision_model", size, **own, **seen),
        HALF,
        _encoder("siglip_text_model", size, **own, **read),
        stated=converted("siglip/convert_siglip_to_hf.py"),
    )


def _naflex(name: str, size: Size) -> Published:
    own = {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-06}
    return Published(
        (f"google/{name}",),
        _encoder("siglip2_vision_model", size, **own, patch_size=16, num_patches=256),
        HALF,
        _encoder("siglip2_text_model", size, **own, vocab_size=256000, max_position_embeddings=64),
        "it reads images as lists of patches; take one of the SigLIP 2 with a size of images, such "
        "as `google/siglip2-base-patch16-256`",
        converted("siglip2/convert_siglip2_to_hf.py"),
    )


_TEXT_512, _TEXT_768 = (12, 512, 8, 2048), (12, 768, 12, 3072)

PAIRS = (
    _clip("clip-vit-base-patch32", _BASE, _TEXT_512, 32, "ViT-B-32"),
    _clip("clip-vit-base-patch16", _BASE, _TEXT_512, 16, "ViT-B-16"),
    _clip("clip-vit-large-patch14", _LARGE, _TEXT_768, 14, "ViT-L-14"),
    _clip("clip-vit-large-patch14-336", _LARGE, _TEXT_768, 14, "ViT-L-14-336", 336),
    *(_siglip(f"siglip-base-patch16-{n}", _BASE, 16, n, 32000) for n in (224, 256, 384, 512)),
    *(_siglip(f"siglip-large-patch16-{n}", _LARGE, 16, n, 32000) for n in (256, 384)),
    _siglip("siglip-so400m-patch14-384", _SO400M, 14, 384, 32000),
    *(_siglip(f"siglip2-base-patch16-{n}", _BASE, 16, n, 256000) for n in (224, 256, 384, 512)),
    _siglip("siglip2-base-patch32-256", _BASE, 32, 256, 256000),
    *(_siglip(f"siglip2-large-patch16-{n}", _LARGE, 16, n, 256000) for n in (256, 384, 512)),
    *(_siglip(f"siglip2-so400m-patch14-{n}", _SO400M, 14, n, 256000) for n in (224, 384)),
    *(_siglip(f"siglip2-so400m-patch16-{n}", _SO400M, 16, n, 256000) for n in (256, 384, 512)),
    _naflex("siglip2-base-patch16-naflex", _BASE),
    _naflex("siglip2-so400m-patch16-naflex", _SO400M),
)
