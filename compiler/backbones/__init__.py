"""Where streams of tokens come from."""

from renaissance.compiler.backbones.facts import normalisation, reference
from renaissance.compiler.model.tower import BackboneReference, Tower, TowerFacts

__all__ = [
    "BackboneReference",
    "Tower",
    "TowerFacts",
    "normalisation",
    "reference",
]
