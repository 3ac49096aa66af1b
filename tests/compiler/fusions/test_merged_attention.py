"""Merged attention against the same mathematics, row by row, in float64."""

import torch
from torch import Tensor

from renaissance.compiler.fusions.merged_attention.module import MergedLayers
from renaissance.compiler.fusions.merged_attention.schema import MergedAttention
from tests.compiler.fusions.reference import (
    FACTS,
    HEADS,
    MASK,
    assert_same,
    attended,
    drawn,
    fed,
    linear,
    streams,
)

SPEC = MergedAttention(inputs=("text", "vision"), layers=2, width=24, heads=HEADS, dropout=0.0)


def reference(fusion: MergedLayers, text: Tensor, vision: Tensor) -> dict[str, Tensor]:
    """METER's merged attention of rows, one after the other."""
    weights = dict(fusion.named_parameters())
    words, patches = [], []
    for row, seen in enumerate(MASK):
        own = linear(weights, "projection.text", text[row]) + weights["type_embedding.vectors.text"]
        other = linear(weights, "projection.vision", vision[row])
        joint = torch.cat((own, other + weights["type_embedding.vectors.vision"]))
        present = torch.cat((seen, torch.ones(len(other), dtype=torch.bool)))
        for index in range(SPEC.layers):
            layer = f"layers.{index}"
            joint = attended(weights, f"{layer}.attention", joint, joint, present)
            joint = fed(weights, f"{layer}.mlp", joint)
        words.append(joint[: len(own)])
        patches.append(joint[len(own) :])
    return {"text": torch.stack(words), "vision": torch.stack(patches)}


def test_outputs_and_gradients_equal_the_reference() -> None:
    fusion = drawn(MergedLayers(SPEC, FACTS, "joint"))
    features = streams()
    text, vision = (stream.tokens for stream in features.values())
    found = {name: stream.tokens for name, stream in fusion(features).items()}
    assert_same(fusion, found, reference(fusion, text, vision), text, vision)
