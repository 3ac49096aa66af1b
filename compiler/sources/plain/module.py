"""Builds a plain stack."""

from renaissance.compiler.backbones.plain import PlainEncoder
from renaissance.compiler.model.tower import Stacked
from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.grammar.schema.model import Attention


def stack(block: PlainStack, address: str, *, attention: Attention, weights: bool) -> Stacked:
    """Return the stack of a fusion, which starts from random weights."""
    return PlainEncoder(block, address, attention)
