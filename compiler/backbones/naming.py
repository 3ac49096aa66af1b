"""What the parameters of encoders are called: which part of a layer, which kind each of them is.

Where layers stand is found in the module (`layers.py`, `timm_layers.py`). What stands inside a
layer is told by one name, the first below the layer's own; a table holds these names by family. No
two families disagree, so that encoders of all others are read with it too: what it does not hold
belongs to its layer as a whole.
"""

import re
from collections.abc import Mapping
from typing import Literal

from torch import nn

from renaissance.compiler.model.tower import TowerFacts

ParameterKind = Literal["weight", "bias", "norm", "embedding", "position", "token", "scale"]
"""What a parameter is; weight decay falls on `weight` and `embedding` alone."""

PARTS_OF_LAYERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "plain": {
        "attention": ("attention_norm", "attention"),
        "mlp": ("mlp_norm", "mlp"),
    },
    "bert": {
        "attention": ("attention",),
        "mlp": ("intermediate", "output"),
    },
    "distilbert": {
        "attention": ("attention", "sa_layer_norm"),
        "mlp": ("ffn", "output_layer_norm"),
    },
    "albert": {
        "attention": ("attention",),
        "mlp": ("ffn", "ffn_output", "full_layer_layer_norm"),
    },
    "modernbert": {
        "attention": ("attn_norm", "attn"),
        "mlp": ("mlp_norm", "mlp"),
    },
    "vit": {
        "attention": ("layernorm_before", "attention"),
        "mlp": ("layernorm_after", "intermediate", "output"),
    },
    "beit": {
        "attention": ("layernorm_before", "attention", "relative_position_bias", "lambda_1"),
        "mlp": ("layernorm_after", "intermediate", "output", "lambda_2"),
    },
    "dinov2": {
        "attention": ("norm1", "attention", "layer_scale1"),
        "mlp": ("norm2", "mlp", "layer_scale2"),
    },
    "clip": {
        "attention": ("layer_norm1", "self_attn"),
        "mlp": ("layer_norm2", "mlp"),
    },
    "timm": {
        "attention": ("norm1", "attn", "self_attn", "ls1", "gamma_1"),
        "mlp": ("norm2", "mlp", "ls2", "gamma_2"),
    },
    "squeezebert": {
        "attention": ("attention", "post_attention"),
        "mlp": ("intermediate", "output"),
    },
}
"""By family, the first names of parameters and modules in each part of a layer."""

_PART = {
    name: part
    for family in PARTS_OF_LAYERS.values()
    for part, names in family.items()
    for name in names
}

_IN_FRONT = (
    "embed",
    "token",
    "pre_lay",
    "norm_pre",
    "position",
    "pos_",
    "stem",
    "conv1",
    "bn1",
    "patch",
)
"""What the names of parameters in front of the layers hold, one of these at least."""

_LAST_NORMS = ("norm", "fc_norm", "final_norm")
_HOLDERS = ("model", "backbone", "encoder", "stack", "vision_model", "text_model")
"""Modules that hold a whole encoder and say nothing of its parts."""

# These stand anywhere in a name, with separators of every library: no table of whole names is
# complete, and an encoder of an unknown family shall not decay its positions.
_POSITION = re.compile(r"pos(ition|_embed|\b)|rel_pos|relative_position")
_TOKEN = re.compile(r"(cls|class|dist(illation)?|mask|reg(ister)?|storage)_(token|embedding)")
_SCALE = re.compile(r"(gamma|lambda)(_[12])?$|layer_scale|lambda1$|logit_scale$")


def address_inside(name: str, facts: TowerFacts) -> str:
    """Return the address of a parameter inside its encoder, such as `layers[3].attention`.

    Args:
        name: of the parameter in the encoder.
        facts: of the encoder; they say where its layers are.
    """
    for index, (path, *belonging) in enumerate(facts.layers):
        if _below(name, path):
            part = _PART.get(name.removeprefix(f"{path}.").partition(".")[0])
            return f"layers[{index}].{part}" if part else f"layers[{index}]"
        for other in belonging:
            if _below(name, other):
                return f"layers[{index}].{_last_name(other)}"
    if any(_below(name, path) for path in facts.embeddings):
        return "embeddings"
    return _outside_layers(name)


def parameter_kind(name: str, owner: nn.Module) -> ParameterKind:
    """Return what a parameter is.

    Args:
        name: inside of the encoder, the fusion or the head that it belongs to.
        owner: the module that holds it.
    """
    local = ".".join(name.split(".")[-3:])
    last = name.rpartition(".")[2]
    if _POSITION.search(local) and not isinstance(owner, nn.Linear):
        return "position"
    if _TOKEN.search(local) or "type_embedding" in name:
        return "token"
    if "norm" in type(owner).__name__.lower():
        return "norm"
    if last.endswith("bias"):
        return "bias"
    if _SCALE.search(last):
        return "scale"
    return "embedding" if isinstance(owner, nn.Embedding) else "weight"


def _outside_layers(name: str) -> str:
    segments = name.split(".")
    for _ in range(2):
        if len(segments) > 1 and segments[0] in _HOLDERS:
            del segments[0]
    bare = ".".join(segments)
    # The word `norm` inside an embedding belongs to the embedding: look for that first.
    if any(word in bare for word in _IN_FRONT):
        return "embeddings"
    return "norm" if _is_last_norm(segments) else segments[0]


def _is_last_norm(segments: list[str]) -> bool:
    """Tell whether a parameter is that of a norm behind the layers."""
    if len(segments) < 2 or segments[-1] not in ("weight", "bias"):
        return False
    module = segments[-2].lower()
    return module in _LAST_NORMS or module.endswith(("layernorm", "layer_norm"))


def _last_name(path: str) -> str:
    """Return the last name in a path, with its number where it is a member of a list."""
    holder, _, last = path.rpartition(".")
    return f"{_last_name(holder)}[{last}]" if last.isdigit() and holder else last


def _below(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.")
