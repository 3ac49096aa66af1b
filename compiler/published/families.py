"""Which tensor of a published model is which of ours.

A family says for each of its tensors, or sums of them, what they are called here, in every form
that a model may be written in: names that a model does not have are passed over.

Sources: transformers' `LxmertModel`, `VisualBertModel` and `ViltModel`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from renaissance.compiler.published.naming import (
    POST_NORM,
    QKV,
    Family,
    Match,
    Roles,
    layers,
    renamed,
)
from renaissance.compiler.published.pairs import blip, clip, siglip

_PRE_NORM = {
    **{f"attention.attention.{part}": f"attention.{part}" for part in QKV},
    "attention.output.dense": "attention.output",
    "layernorm_before": "attention_norm",
    "layernorm_after": "mlp_norm",
    "intermediate.dense": "mlp.inner",
    "output.dense": "mlp.outer",
}
"""ViLT's names in a layer, and those of the project's pre-norm layers."""
_OF_VIT = {
    **{f"attention.attention.{part}": f"attention.{part[0]}_proj" for part in QKV},
    "attention.output.dense": "attention.o_proj",
    "layernorm_before": "layernorm_before",
    "layernorm_after": "layernorm_after",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
}
"""The same, and those of transformers' ViT."""


def lxmert(roles: Roles, config: Mapping[str, Any]) -> Iterator[Match]:
    """LXMERT: words behind BERT's layers, regions behind theirs, and co-attention."""
    text, vision = f"streams.{roles.text}", f"streams.{roles.vision}"
    embeddings = f"{text}.encoder.embeddings"
    for name in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
        yield f"{embeddings}.{name}.weight", (f"embeddings.{name}.weight",)
    yield from renamed({"embeddings.LayerNorm": f"{embeddings}.LayerNorm"})
    for index in layers(config, "l_layers"):
        layer = f"encoder.layer.{index}"
        same = {name: name for name in POST_NORM}
        yield from renamed(same, layer, f"{text}.encoder.encoder.layer.{index}")
    found = {
        "visn_fc": "feature",
        "visn_layer_norm": "feature_norm",
        "box_fc": "box",
        "box_layer_norm": "box_norm",
    }
    yield from renamed(found, "encoder.visn_fc", f"{vision}.embeddings")
    for index in layers(config, "r_layers"):
        layer = f"encoder.r_layers.{index}"
        yield from renamed(POST_NORM, layer, f"{vision}.stack.layers.{index}")
    for index in layers(config, "x_layers"):
        yield from _co_attention(roles, index)
    yield from _pooled(roles)
    yield from _lm_head("embeddings.word_embeddings.weight", "cls.predictions")
    yield from renamed({"cls.seq_relationship": "heads.itm.dense"})
    of_regions = {
        "transform.dense": "dense",
        "transform.LayerNorm": "norm",
        "decoder_dict.feat": "features",
        "decoder_dict.obj": "classes",
    }
    yield from renamed(of_regions, "obj_predict_head", "heads.mrm")


def _co_attention(roles: Roles, index: int) -> Iterator[Match]:
    layer = f"encoder.x_layers.{index}"
    crossed = {f"att.{part}": f"attention.{part}" for part in QKV}
    crossed |= {"output.dense": "attention.output", "output.LayerNorm": "residual.norm"}
    yield from renamed(crossed, f"{layer}.visual_attention", f"fusion.layers.{index}.cross")
    own = {f"self.{part}": f"attention.{part}" for part in QKV}
    own |= {"output.dense": "attention.output", "output.LayerNorm": "residual.norm"}
    for theirs, name in (("lang", roles.text), ("visn", roles.vision)):
        ours = f"fusion.layers.{index}.streams.{name}"
        yield from renamed(own, f"{layer}.{theirs}_self_att", f"{ours}.attention")
        fed = {
            f"{theirs}_inter.dense": "mlp.inner",
            f"{theirs}_output.dense": "mlp.outer",
            f"{theirs}_output.LayerNorm": "residual.norm",
        }
        yield from renamed(fed, layer, f"{ours}.mlp")


def visual_bert(roles: Roles, config: Mapping[str, Any]) -> Iterator[Match]:
    """VisualBERT: words and regions in one sequence; what is added to all regions is one bias."""
    yield from _words(roles, "embeddings")
    vision = f"streams.{roles.vision}.embeddings"
    projection = "embeddings.visual_projection"
    yield f"{vision}.feature.weight", (f"{projection}.weight",)
    yield (
        f"{vision}.feature.bias",
        (
            f"{projection}.bias",
            "embeddings.visual_token_type_embeddings.weight[1]",
            "embeddings.visual_position_embeddings.weight[0]",
        ),
    )
    yield from renamed({"embeddings.LayerNorm": f"{vision}.feature_norm"})
    for index in layers(config):
        same = {name: name for name in POST_NORM}
        yield from renamed(same, f"encoder.layer.{index}", f"fusion.encoder.layers.{index}")
    yield from _pooled(roles)
    yield from _lm_head("embeddings.word_embeddings.weight", "cls.predictions")


def vilt(roles: Roles, config: Mapping[str, Any]) -> Iterator[Match]:
    """ViLT: words and patches in one sequence, through layers like those of ViT."""
    yield from _words(roles, "embeddings.text_embeddings")
    vision = f"streams.{roles.vision}.embeddings"
    yield f"{vision}.class_token", ("embeddings.cls_token",)
    yield f"{vision}.position", ("embeddings.position_embeddings[0]",)
    yield from renamed({"embeddings.patch_embeddings.projection": f"{vision}.stem"})
    for number, name in enumerate((roles.text, roles.vision)):
        types = f"embeddings.token_type_embeddings.weight[{number}]"
        yield f"fusion.type_embedding.vectors.{name}", (types,)
    for index in layers(config):
        layer = f"encoder.layer.{index}"
        yield from renamed(_OF_VIT, layer, f"fusion.encoder.layers.{index}")
        yield from renamed(_PRE_NORM, layer, f"fusion.encoder.stack.layers.{index}")
    for norm in ("fusion.encoder.norm", "fusion.encoder.stack.norm"):
        yield from renamed({"layernorm": norm})
    yield from _pooled(roles)
    yield from _lm_head("embeddings.text_embeddings.word_embeddings.weight", "mlm_score")


FAMILIES: Mapping[str, Family] = {
    "blip": blip,
    "clip": clip,
    "lxmert": lxmert,
    "siglip": siglip,
    "vilt": vilt,
    "visual_bert": visual_bert,
}
"""By `model_type`."""


def _words(roles: Roles, theirs: str) -> Iterator[Match]:
    """Yield words and positions; the type of the first segment stands apart or in the positions."""
    ours = f"streams.{roles.text}.embeddings"
    positions = f"{theirs}.position_embeddings.weight"
    types = f"{theirs}.token_type_embeddings.weight"
    yield f"{ours}.word.weight", (f"{theirs}.word_embeddings.weight",)
    yield f"{ours}.type_embedding", (types,)
    yield f"{ours}.position", (positions, f"{types}[0]")
    yield from renamed({f"{theirs}.LayerNorm": f"{ours}.norm"})


def _pooled(roles: Roles) -> Iterator[Match]:
    yield from renamed({"pooler.dense": f"pool.dense.{roles.text}"})


def _lm_head(words: str, theirs: str) -> Iterator[Match]:
    """Yield a head of masked words, whose scores are similarities with the embeddings of words."""
    ours = {"transform.dense": "dense", "transform.LayerNorm": "norm"}
    yield from renamed(ours, theirs, "heads.mlm")
    yield "heads.mlm.decoder.weight", (words,)
    # One tensor that is saved by one of its two names, or by both.
    for bias in (f"{theirs}.decoder.bias", f"{theirs}.bias"):
        yield "heads.mlm.decoder.bias", (bias,)
        yield "heads.mlm.bias", (bias,)
