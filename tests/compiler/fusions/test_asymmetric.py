"""Asymmetric layers against the same mathematics, and against BLIP's own, in float64."""

from typing import Literal

import pytest
import torch
from torch import Tensor, nn
from transformers import BlipTextConfig
from transformers.models.blip.modeling_blip_text import BlipTextLayer

from renaissance.compiler.fusions.asymmetric.module import AsymmetricLayers
from renaissance.compiler.fusions.asymmetric.schema import Asymmetric
from renaissance.compiler.lowering.rows import take_rows
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.post_norm import PostNormCrossLayer
from tests.compiler.fusions.reference import (
    FACTS,
    HEADS,
    MASK,
    TEXT,
    VISION,
    assert_same,
    attended,
    drawn,
    fed,
    linear,
    streams,
)

SPEC = Asymmetric(inputs=("text", "vision"), layers=2, width=24, heads=HEADS, dropout=0.0)


def reference(fusion: AsymmetricLayers, text: Tensor, vision: Tensor) -> dict[str, Tensor]:
    """ALBEF's multimodal encoder of rows, one after the other."""
    weights = dict(fusion.named_parameters())
    found = []
    for row, seen in enumerate(MASK):
        words = linear(weights, "projection.text", text[row])
        for index in range(SPEC.layers):
            layer = f"layers.{index}"
            words = attended(weights, f"{layer}.attention", words, words, seen)
            words = attended(weights, f"{layer}.cross", words, vision[row], None)
            words = fed(weights, f"{layer}.mlp", words)
        found.append(words)
    return {"text": torch.stack(found), "vision": vision}


def test_outputs_and_gradients_equal_the_reference() -> None:
    fusion = drawn(AsymmetricLayers(SPEC, FACTS, "grounded"))
    features = streams()
    text, vision = (stream.tokens for stream in features.values())
    fused = fusion(features)
    assert fused["vision"] is features["vision"]
    found = {name: stream.tokens for name, stream in fused.items()}
    assert_same(fusion, found, reference(fusion, text, vision), text, vision)


@pytest.mark.parametrize("queries", ["all", "first", "last"])
@pytest.mark.parametrize("form", ["padded", "packed"])
def test_a_text_by_itself_is_encoded_without_the_image(
    form: str, queries: Literal["all", "first", "last"]
) -> None:
    fusion = drawn(AsymmetricLayers(SPEC.model_copy(update={"unimodal": True}), FACTS, "grounded"))
    given = streams()["text"]
    weights = dict(fusion.named_parameters())
    found = []
    for row, seen in enumerate(MASK):
        words = linear(weights, "projection.text", given.tokens[row])
        for index in range(SPEC.layers):
            words = attended(weights, f"layers.{index}.attention", words, words, seen)
            words = fed(weights, f"layers.{index}.mlp", words)
        found.append(words[seen])
    if form == "packed":
        take_rows(fusion)
        given = given.packed()
    chosen = {"all": slice(None), "first": slice(1), "last": slice(-1, None)}[queries]
    wanted = [words[chosen] for words in found]
    own = fusion.alone("text", given, queries)
    kept = own.tokens[MASK] if queries == "all" and form == "padded" else own.tokens.flatten(0, -2)
    torch.testing.assert_close(kept, torch.cat(wanted))


def test_an_image_may_attend_to_a_text() -> None:
    mirrored = SPEC.model_copy(update={"inputs": ("vision", "text")})
    fusion = drawn(AsymmetricLayers(mirrored, FACTS, "grounded"))
    assert fusion.widths == {"vision": 24, "text": TEXT}
    features = streams()
    before = fusion(features)["vision"].tokens
    # What is padding is attended to by nobody.
    text = features["text"]
    moved = text.with_tokens(text.tokens + ~MASK[..., None])
    torch.testing.assert_close(fusion(features | {"text": moved})["vision"].tokens, before)
    moved = text.with_tokens(text.tokens + MASK[..., None])
    assert not torch.allclose(fusion(features | {"text": moved})["vision"].tokens, before)


@pytest.mark.parametrize("width", [TEXT, 24])
def test_only_another_width_is_projected(width: int) -> None:
    spec = SPEC.model_copy(update={"width": width, "heads": 2})
    names = {
        name.partition(".")[0] for name, _ in AsymmetricLayers(spec, FACTS, "x").named_parameters()
    }
    assert names == ({"layers"} if width == TEXT else {"layers", "projection"})


def _pairs(theirs: BlipTextLayer, mine: PostNormCrossLayer) -> list[tuple[nn.Module, nn.Module]]:
    pairs: list[tuple[nn.Module, nn.Module]] = []
    for their, own in ((theirs.attention, mine.attention), (theirs.crossattention, mine.cross)):
        inner = their.self
        pairs += [
            (inner.query, own.attention.query),
            (inner.key, own.attention.key),
            (inner.value, own.attention.value),
            (their.output.dense, own.attention.output),
            (their.output.LayerNorm, own.residual.norm),
        ]
    return [
        *pairs,
        (theirs.intermediate.dense, mine.mlp.mlp.inner),
        (theirs.output.dense, mine.mlp.mlp.outer),
        (theirs.output.LayerNorm, mine.mlp.residual.norm),
    ]


def test_a_layer_equals_that_of_blips_grounded_encoder() -> None:
    config = BlipTextConfig(
        hidden_size=24,
        encoder_hidden_size=VISION,
        num_attention_heads=HEADS,
        intermediate_size=96,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        is_decoder=True,
    )
    torch.manual_seed(0)
    theirs = BlipTextLayer(config, 0).double().eval()
    mine = drawn(PostNormCrossLayer(SPEC, VISION))
    pairs = _pairs(theirs, mine)
    copied = {own for _, part in pairs for own in part.parameters()}
    assert copied == set(mine.parameters())
    with torch.no_grad():
        for their, own in pairs:
            their.weight.copy_(own.weight)
            their.bias.copy_(own.bias)
    text = torch.randn(2, 4, 24, dtype=torch.float64, requires_grad=True)
    vision = torch.randn(2, 7, VISION, dtype=torch.float64, requires_grad=True)
    hidden = torch.zeros(2, 4, dtype=torch.float64).masked_fill(~MASK, -1e300)[:, None, None]
    wanted = theirs(text, attention_mask=hidden, encoder_hidden_states=vision)
    found = mine(Features(tokens=text, mask=MASK), Features(tokens=vision)).tokens
    torch.testing.assert_close(found[MASK], wanted[MASK])
    of_theirs = [p for part, _ in pairs for p in (part.weight, part.bias)]
    of_mine = [p for _, part in pairs for p in (part.weight, part.bias)]
    gradients = [
        torch.autograd.grad(fused[MASK].sin().sum(), [text, vision, *weights])
        for fused, weights in ((found, of_mine), (wanted, of_theirs))
    ]
    for own, other in zip(*gradients, strict=True):
        torch.testing.assert_close(own, other)
