"""Where streams of tokens come from."""

from renaissance.compiler.backbones.facts import normalisation, reference
from renaissance.compiler.backbones.sources import build_embedding, build_tower
from renaissance.compiler.backbones.tower import BackboneReference, Tower, TowerFacts

__all__ = [
    "BackboneReference",
    "Tower",
    "TowerFacts",
    "build_embedding",
    "build_tower",
    "normalisation",
    "reference",
]
