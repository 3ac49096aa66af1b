"""One name for each part of a model, whatever library it comes from.

A component's address starts at a stream, the fusion, `pool` or `heads`, and goes on with
`embeddings`, `layers[3].attention`, `layers[3].mlp` or `norm`; a norm inside a layer belongs to the
part that it serves.
"""

import re
from dataclasses import dataclass
from typing import Literal

from torch import nn

from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.tower import Tower, TowerFacts
from renaissance.grammar.anatomy.selectors import KINDS

Kind = Literal["weight", "bias", "norm", "embedding", "position", "token", "scale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterAddress:
    """Where a parameter belongs.

    Attributes:
        address: of its component.
        kind: what it is; weight decay falls on `weight` and `embedding` alone.
        kinds: the members of `KINDS` that it answers to.
    """

    address: str
    kind: Kind
    kinds: frozenset[str]


def parameter_addresses(model: VisionLanguageModel) -> dict[str, ParameterAddress]:
    """Return the address of every parameter by its name in the model, each shared one once."""
    owners = {
        f"{path}.{leaf}" if path else leaf: module
        for path, module in model.named_modules()
        for leaf, _ in module.named_parameters(recurse=False)
    }
    found = {}
    for name, _ in model.named_parameters():
        address = _address(model, name)
        kind = _kind(name, owners[name])
        found[name] = ParameterAddress(
            address=address, kind=kind, kinds=_kinds(name, address, kind)
        )
    return found


def _address(model: VisionLanguageModel, name: str) -> str:
    root, _, rest = name.partition(".")
    if root == "streams":
        stream, _, rest = rest.partition(".")
        return f"{stream}.{_inside(rest, model.towers[stream].facts)}"
    if root == "fusion":
        return f"{model.fusion_name}.{_fusion(rest, model.fusion)}"
    if root == "pool":
        return f"pool.{rest.split('.')[1]}"
    return f"heads.{rest.split('.')[0]}"


def _fusion(rest: str, fusion: nn.Module) -> str:
    parts = rest.split(".")
    if parts[0] == "projection":
        return f"projection.{parts[1]}"
    if parts[0] == "type_embedding":
        return "type_embedding"
    encoder: Tower | None = getattr(fusion, "encoder", None)
    if encoder is not None:
        return _inside(rest.removeprefix("encoder."), encoder.facts)
    layer = f"layers[{parts[1]}]"
    return f"{layer}.cross" if parts[2] == "cross" else f"{layer}.{parts[3]}.{parts[4]}"


def _inside(rest: str, facts: TowerFacts) -> str:
    """Return the address inside a tower of its parameter `rest`."""
    for index, (path, *belonging) in enumerate(facts.layers):
        if rest == path or rest.startswith(f"{path}."):
            part = _part(rest.removeprefix(f"{path}."))
            return f"layers[{index}].{part}" if part else f"layers[{index}]"
        for other in belonging:
            if rest == other or rest.startswith(f"{other}."):
                return f"layers[{index}].{other.rpartition('.')[2]}"
    if any(rest == path or rest.startswith(f"{path}.") for path in facts.embeddings):
        return "embeddings"
    return _outside(rest)


_PARTS = (
    ("attention", re.compile(r"(self_)?att(entio)?n\b|self_attention|relative_position_bias")),
    ("mlp", re.compile(r"(mlp|ffn|intermediate|output|feed_forward)\b")),
    ("attention", re.compile(r"(norm1|layernorm_before|layer_norm1|sa_layer_norm)\b")),
    ("attention", re.compile(r"(attention_norm|gamma_1|lambda_1|ls1|layer_scale1)\b")),
    ("mlp", re.compile(r"(norm2|layernorm_after|layer_norm2|output_layer_norm)\b")),
    ("mlp", re.compile(r"(mlp_norm|gamma_2|lambda_2|ls2|layer_scale2)\b")),
)


def _part(rest: str) -> str:
    return next((part for part, names in _PARTS if names.match(rest)), "")


_BEFORE = re.compile(r"embed|token|pre_la?y|norm_pre|position|pos_|stem|conv1|bn1|patch")
_NORM = re.compile(r"(.*layer_?norm|.*\bnorm|fc_norm|head\.norm)\.(weight|bias)$", re.IGNORECASE)
_PREFIX = re.compile(r"^(model|backbone|encoder|stack|vision_model|text_model)\.")


def _outside(rest: str) -> str:
    # The word `norm` inside an embedding belongs to the embedding: look for that first.
    bare = _PREFIX.sub("", _PREFIX.sub("", rest))
    if _BEFORE.search(bare):
        return "embeddings"
    if _NORM.match(bare):
        return "norm"
    return bare.split(".")[0]


_POSITION = re.compile(r"pos(ition|_embed|\b)|rel_pos|relative_position")
_TOKEN = re.compile(r"(cls|class|dist(illation)?|mask|reg(ister)?|storage)_(token|embedding)")
_SCALE = re.compile(r"(gamma|lambda)(_[12])?$|layer_scale|lambda1$")


def _kind(name: str, owner: nn.Module) -> Kind:
    local = ".".join(name.split(".")[-3:])
    leaf = name.rpartition(".")[2]
    if _POSITION.search(local) and not isinstance(owner, nn.Linear):
        return "position"
    if _TOKEN.search(local) or "type_embedding" in name:
        return "token"
    if "norm" in type(owner).__name__.lower():
        return "norm"
    if leaf.endswith("bias"):
        return "bias"
    if _SCALE.search(leaf):
        return "scale"
    return "embedding" if isinstance(owner, nn.Embedding) else "weight"


def _kinds(name: str, address: str, kind: Kind) -> frozenset[str]:
    kinds: set[str] = set(KINDS) & {kind}
    if name.endswith("bias") and kind != "position":
        kinds.add("bias")
    parts = address.split(".")
    if parts[-1] in ("attention", "cross"):
        kinds.add("attention")
    if parts[-1] in ("embeddings", "mlp"):
        kinds.add(parts[-1])
    return frozenset(kinds)
