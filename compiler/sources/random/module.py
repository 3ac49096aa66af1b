"""Builds encoders of either library without weights."""

from renaissance.compiler.backbones.facts import is_timm
from renaissance.compiler.model.tower import Stacked, Tower
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.schema.model import Attention


def tower(block: RandomArchitecture, address: str, *, attention: Attention, weights: bool) -> Tower:
    """Return the encoder of a stream; CompileError if it cannot be built as declared."""
    if is_timm(block.id):
        from renaissance.compiler.backbones.timm import timm_tower

        return timm_tower(block, address, attention=attention, weights=weights)
    from renaissance.compiler.backbones.huggingface import huggingface_tower

    return huggingface_tower(block, address, attention=attention, weights=weights)


def stack(
    block: RandomArchitecture, address: str, *, attention: Attention, weights: bool
) -> Stacked:
    """Return the stack of a fusion; CompileError if its layers are none."""
    from renaissance.compiler.backbones.stacks import timm_stack, transformers_stack

    build = timm_stack if is_timm(block.id) else transformers_stack
    return build(block, address, attention=attention, weights=weights)
