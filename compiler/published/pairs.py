"""Published models that encode texts and images apart, or let texts attend to images.

Sources: transformers' `CLIPModel`, `SiglipModel` and `BlipForImageTextRetrieval`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from renaissance.compiler.published.naming import (
    PARAMETERS,
    POST_NORM,
    QKV,
    Match,
    Roles,
    layers,
    part,
    renamed,
)

_CLIP_LAYER = (
    *(f"self_attn.{part}_proj" for part in ("q", "k", "v", "out")),
    "layer_norm1",
    "layer_norm2",
    "mlp.fc1",
    "mlp.fc2",
)
_POOLING = ("attention.out_proj", "layernorm", "mlp.fc1", "mlp.fc2")
"""Modules of SigLIP's attention pooling."""
_TIMM_LAYER = {
    "layer_norm1": "norm1",
    "self_attn.qkv": "attn.qkv",
    "self_attn.projection": "attn.proj",
    "layer_norm2": "norm2",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
"""BLIP's names in a layer of its vision tower, and timm's."""
_PLAIN_LAYER = {
    "layer_norm1": "attention_norm",
    "self_attn.projection": "attention.output",
    "layer_norm2": "mlp_norm",
    "mlp.fc1": "mlp.inner",
    "mlp.fc2": "mlp.outer",
}
"""The same, and those of the project's pre-norm layers; queries, keys and values are apart."""
_CROSS = {
    **{f"crossattention.self.{part}": f"cross.attention.{part}" for part in QKV},
    "crossattention.output.dense": "cross.attention.output",
    "crossattention.output.LayerNorm": "cross.residual.norm",
}


def clip(roles: Roles, config: Mapping[str, Any]) -> Iterator[Match]:
    """CLIP: two towers of transformers, a projection of each, and the scale of their cosines."""
    text, vision = (f"streams.{name}" for name in (roles.text, roles.vision))
    yield from _tower("text_model", f"{text}.encoder", part(config, "text_config"))
    yield from renamed({"final_layer_norm": "final_layer_norm"}, "text_model", f"{text}.encoder")
    yield from _tower("vision_model", f"{vision}.encoder", part(config, "vision_config"))
    yield from renamed({"pre_layrnorm": "pre_layrnorm"}, "vision_model", f"{vision}.encoder")
    yield from renamed({"post_layernorm": "norm"}, "vision_model", vision)
    for name, theirs in ((roles.text, "text_projection"), (roles.vision, "visual_projection")):
        for ours in ("fusion", "heads.itc"):
            yield f"{ours}.projection.{name}.weight", (f"{theirs}.weight",)
    yield "heads.itc.logit_scale", ("logit_scale",)


def siglip(roles: Roles, config: Mapping[str, Any]) -> Iterator[Match]:
    """SigLIP: two towers, of which that of texts is projected and that of images pools itself."""
    text, vision = (f"streams.{name}.encoder" for name in (roles.text, roles.vision))
    yield from _tower("text_model", text, part(config, "text_config"))
    yield from renamed({"final_layer_norm": "final_layer_norm"}, "text_model", text)
    yield from renamed({"text_model.head": f"fusion.projection.{roles.text}"})
    yield from _tower("vision_model", vision, part(config, "vision_config"))
    parts = ("post_layernorm", *(f"head.{part}" for part in _POOLING))
    yield from renamed({name: name for name in parts}, "vision_model", vision)
    for name in ("probe", "attention.in_proj_weight", "attention.in_proj_bias"):
        yield f"{vision}.head.{name}", (f"vision_model.head.{name}",)
    yield "heads.itc.logit_scale", ("logit_scale",)
    yield "heads.itc.bias", ("logit_bias",)


def _tower(theirs: str, ours: str, config: Mapping[str, Any]) -> Iterator[Match]:
    """Yield embeddings and layers of a tower, which are called the same inside of it."""
    embeddings = ("token_embedding.weight", "position_embedding.weight", "class_embedding")
    for name in (*embeddings, "patch_embedding.weight", "patch_embedding.bias"):
        yield f"{ours}.embeddings.{name}", (f"{theirs}.embeddings.{name}",)
    for index in layers(config):
        layer = f"encoder.layers.{index}"
        yield from renamed(
            {name: name for name in _CLIP_LAYER}, f"{theirs}.{layer}", f"{ours}.{layer}"
        )


def blip(roles: Roles, config: Mapping[str, Any]) -> Iterator[Match]:
    """BLIP: a text whose layers each attend to the image, from its words on, or encode it alone."""
    yield from _blip_vision(f"streams.{roles.vision}", part(config, "vision_config"))
    text = f"streams.{roles.text}.embeddings"
    for theirs in ("text_encoder", "text_model"):
        yield f"{text}.word.weight", (f"{theirs}.embeddings.word_embeddings.weight",)
        yield f"{text}.position", (f"{theirs}.embeddings.position_embeddings.weight",)
        yield from renamed({"embeddings.LayerNorm": "norm"}, theirs, text)
        for index in layers(part(config, "text_config")):
            layer = f"{theirs}.encoder.layer.{index}"
            yield from renamed(POST_NORM | _CROSS, layer, f"fusion.layers.{index}")
    yield from renamed({"itm_head": "heads.itm.dense"})
    for name, theirs in ((roles.text, "text_proj"), (roles.vision, "vision_proj")):
        yield from renamed({theirs: f"heads.itc.projection.{name}"})


def _blip_vision(ours: str, config: Mapping[str, Any]) -> Iterator[Match]:
    """Yield the vision tower, as timm's and as the project's own."""
    theirs, embeddings = "vision_model", "vision_model.embeddings"
    yield f"{ours}.encoder.cls_token", (f"{embeddings}.class_embedding",)
    yield f"{ours}.encoder.pos_embed", (f"{embeddings}.position_embedding",)
    yield f"{ours}.embeddings.class_token", (f"{embeddings}.class_embedding",)
    yield f"{ours}.embeddings.position", (f"{embeddings}.position_embedding[0]",)
    for patches in ("encoder.patch_embed.proj", "embeddings.stem"):
        yield from renamed({"patch_embedding": patches}, embeddings, ours)
    for norm in ("encoder.norm", "stack.norm"):
        yield from renamed({"post_layernorm": norm}, theirs, ours)
    width = config["hidden_size"]
    for index in layers(config):
        layer = f"{theirs}.encoder.layers.{index}"
        yield from renamed(_TIMM_LAYER, layer, f"{ours}.encoder.blocks.{index}")
        plain = f"{ours}.stack.layers.{index}"
        yield from renamed(_PLAIN_LAYER, layer, plain)
        for number, name in enumerate(QKV):
            rows = f"[{number * width}:{(number + 1) * width}]"
            for parameter in PARAMETERS:
                joined = f"{layer}.self_attn.qkv.{parameter}{rows}"
                yield f"{plain}.attention.{name}.{parameter}", (joined,)
