"""Parts of models as they are lowered in a model."""

from typing import Any, TypeVar

from torch import nn

from renaissance.compiler.backbones.sources import build_stack, build_tower
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.libraries.attention import adopt_attention, read_last_layer
from renaissance.compiler.lowering.lowerings import OF_MODELS
from renaissance.compiler.lowering.own_attention import Absorption, JointProjections, OwnAttention
from renaissance.compiler.lowering.rows import take_rows
from renaissance.compiler.model.tower import Stacked, Tower

Part = TypeVar("Part", bound=nn.Module)


def lowered(part: Part, attention: Any = "auto") -> Part:
    """Lower a part that is no whole model, in place; all but dropout and linear maps."""
    context = Context(attention=attention)
    take_rows(part)
    for lowering in (OwnAttention(), JointProjections(), Absorption()):
        assert lowering in OF_MODELS
        if lowering.applies(part, context):
            lowering.apply(part, context)
    return part


def lowered_tower(spec: Any, address: str = "x", *, attention: Any, weights: bool) -> Tower:
    tower = build_tower(spec, address, attention=attention, weights=weights)
    adopt_attention(tower, address)
    tower.settle(address)
    return tower


def lowered_stack(spec: Any, address: str = "joint", *, attention: Any, weights: bool) -> Stacked:
    stack = build_stack(spec, address, attention=attention, weights=weights)
    read_last_layer(stack, address)
    adopt_attention(stack, address)
    return stack
