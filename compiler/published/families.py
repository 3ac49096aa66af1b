"""Which tensor of a published model is which of ours.

A family says for each of its tensors, or sums of them, what they are called here, in every form
that a model may be written in: names that a model does not have are passed over.

Sources: transformers' `LxmertModel`, `VisualBertModel` and `ViltModel`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Match: TypeAlias = tuple[str, tuple[str, ...]]
"""A name of ours, and those of the tensors whose sum it is; `NAME[2]` is row 2 of a tensor."""

PARAMETERS = ("weight", "bias")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The streams of a model.

    Attributes:
        text: name of the stream of text.
        vision: name of the first stream of images, pixels or regions.
    """

    text: str
    vision: str


Family: TypeAlias = Callable[[Roles, Mapping[str, Any]], Iterator[Match]]

_QKV = ("query", "key", "value")
_POST_NORM = {
    **{f"attention.self.{part}": f"attention.attention.{part}" for part in _QKV},
    "attention.output.dense": "attention.attention.output",
    "attention.output.LayerNorm": "attention.residual.norm",
    "intermediate.dense": "mlp.mlp.inner",
    "output.dense": "mlp.mlp.outer",
    "output.LayerNorm": "mlp.residual.norm",
}
"""BERT's names in a layer, and those of the project's post-norm layers."""
_PRE_NORM = {
    **{f"attention.attention.{part}": f"attention.{part}" for part in _QKV},
    "attention.output.dense": "attention.output",
    "layernorm_before": "attention_norm",
    "layernorm_after": "mlp_norm",
    "intermediate.dense": "mlp.inner",
    "output.dense": "mlp.outer",
}
"""ViLT's names in a layer, and those of the project's pre-norm layers."""
_OF_VIT = {
    **{f"attention.attention.{part}": f"attention.{part[0]}_proj" for part in _QKV},
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
    yield from _renamed({"embeddings.LayerNorm": f"{embeddings}.LayerNorm"})
    for index in range(config["l_layers"]):
        layer = f"encoder.layer.{index}"
        same = {name: name for name in _POST_NORM}
        yield from _renamed(same, layer, f"{text}.encoder.encoder.layer.{index}")
    found = {
        "visn_fc": "feature",
        "visn_layer_norm": "feature_norm",
        "box_fc": "box",
        "box_layer_norm": "box_norm",
    }
    yield from _renamed(found, "encoder.visn_fc", f"{vision}.embeddings")
    for index in range(config["r_layers"]):
        layer = f"encoder.r_layers.{index}"
        yield from _renamed(_POST_NORM, layer, f"{vision}.stack.layers.{index}")
    for index in range(config["x_layers"]):
        yield from _co_attention(roles, index)
    yield from _pooled(roles)
    yield from _lm_head("embeddings.word_embeddings.weight", "cls.predictions")


def _co_attention(roles: Roles, index: int) -> Iterator[Match]:
    layer = f"encoder.x_layers.{index}"
    crossed = {f"att.{part}": f"attention.{part}" for part in _QKV}
    crossed |= {"output.dense": "attention.output", "output.LayerNorm": "residual.norm"}
    yield from _renamed(crossed, f"{layer}.visual_attention", f"fusion.layers.{index}.cross")
    own = {f"self.{part}": f"attention.{part}" for part in _QKV}
    own |= {"output.dense": "attention.output", "output.LayerNorm": "residual.norm"}
    for theirs, name in (("lang", roles.text), ("visn", roles.vision)):
        ours = f"fusion.layers.{index}.streams.{name}"
        yield from _renamed(own, f"{layer}.{theirs}_self_att", f"{ours}.attention")
        fed = {
            f"{theirs}_inter.dense": "mlp.inner",
            f"{theirs}_output.dense": "mlp.outer",
            f"{theirs}_output.LayerNorm": "residual.norm",
        }
        yield from _renamed(fed, layer, f"{ours}.mlp")


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
    yield from _renamed({"embeddings.LayerNorm": f"{vision}.feature_norm"})
    for index in range(config["num_hidden_layers"]):
        same = {name: name for name in _POST_NORM}
        yield from _renamed(same, f"encoder.layer.{index}", f"fusion.encoder.layers.{index}")
    yield from _pooled(roles)
    yield from _lm_head("embeddings.word_embeddings.weight", "cls.predictions")


def vilt(roles: Roles, config: Mapping[str, Any]) -> Iterator[Match]:
    """ViLT: words and patches in one sequence, through layers like those of ViT."""
    yield from _words(roles, "embeddings.text_embeddings")
    vision = f"streams.{roles.vision}.embeddings"
    yield f"{vision}.class_token", ("embeddings.cls_token",)
    yield f"{vision}.position", ("embeddings.position_embeddings[0]",)
    yield from _renamed({"embeddings.patch_embeddings.projection": f"{vision}.stem"})
    for number, name in enumerate((roles.text, roles.vision)):
        types = f"embeddings.token_type_embeddings.weight[{number}]"
        yield f"fusion.type_embedding.vectors.{name}", (types,)
    for index in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{index}"
        yield from _renamed(_OF_VIT, layer, f"fusion.encoder.layers.{index}")
        yield from _renamed(_PRE_NORM, layer, f"fusion.encoder.stack.layers.{index}")
    for norm in ("fusion.encoder.norm", "fusion.encoder.stack.norm"):
        yield from _renamed({"layernorm": norm})
    yield from _pooled(roles)
    yield from _lm_head("embeddings.text_embeddings.word_embeddings.weight", "mlm_score")


FAMILIES: Mapping[str, Family] = {"lxmert": lxmert, "vilt": vilt, "visual_bert": visual_bert}
"""By `model_type`."""


def _words(roles: Roles, theirs: str) -> Iterator[Match]:
    """Yield words and positions; the type of the first segment stands apart or in the positions."""
    ours = f"streams.{roles.text}.embeddings"
    positions = f"{theirs}.position_embeddings.weight"
    types = f"{theirs}.token_type_embeddings.weight"
    yield f"{ours}.word.weight", (f"{theirs}.word_embeddings.weight",)
    yield f"{ours}.type_embedding", (types,)
    yield f"{ours}.position", (positions, f"{types}[0]")
    yield from _renamed({f"{theirs}.LayerNorm": f"{ours}.norm"})


def _pooled(roles: Roles) -> Iterator[Match]:
    yield from _renamed({"pooler.dense": f"pool.dense.{roles.text}"})


def _lm_head(words: str, theirs: str) -> Iterator[Match]:
    """Yield a head of masked words, whose scores are similarities with the embeddings of words."""
    ours = {"transform.dense": "dense", "transform.LayerNorm": "norm"}
    yield from _renamed(ours, theirs, "heads.mlm")
    yield "heads.mlm.decoder.weight", (words,)
    # One tensor that is saved by one of its two names, or by both.
    for bias in (f"{theirs}.decoder.bias", f"{theirs}.bias"):
        yield "heads.mlm.decoder.bias", (bias,)
        yield "heads.mlm.bias", (bias,)


def _renamed(modules: Mapping[str, str], theirs: str = "", ours: str = "") -> Iterator[Match]:
    """Yield weight and bias of modules, inside of others."""
    for name, own in modules.items():
        for parameter in PARAMETERS:
            before = ".".join(filter(None, (theirs, name, parameter)))
            yield ".".join(filter(None, (ours, own, parameter))), (before,)
