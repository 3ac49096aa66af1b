"""Co-attention layers against LXMERT's own in float64."""

import torch
from torch import nn
from transformers import LxmertConfig
from transformers.models.lxmert.modeling_lxmert import LxmertXLayer

from renaissance.compiler.fusions.cross_attention.module import CoAttention, CoAttentionLayer
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.tower import TowerFacts

SPEC = CrossAttention(inputs=("text", "vision"), layers=2, width=24, heads=3, dropout=0.0)


def _attention(theirs: nn.Module, attention: nn.Module) -> list[tuple[nn.Module, nn.Module]]:
    inner = getattr(theirs, "att", None) or theirs.self
    return [
        (inner.query, attention.attention.query),
        (inner.key, attention.attention.key),
        (inner.value, attention.attention.value),
        (theirs.output.dense, attention.attention.output),
        (theirs.output.LayerNorm, attention.residual.norm),
    ]


def _pairs(theirs: LxmertXLayer, mine: CoAttentionLayer) -> list[tuple[nn.Module, nn.Module]]:
    pairs = _attention(theirs.visual_attention, mine.cross)
    for name, short in (("text", "lang"), ("vision", "visn")):
        stream = mine.streams[name]
        pairs += _attention(getattr(theirs, f"{short}_self_att"), stream.attention)
        pairs += [
            (getattr(theirs, f"{short}_inter").dense, stream.mlp.mlp.inner),
            (getattr(theirs, f"{short}_output").dense, stream.mlp.mlp.outer),
            (getattr(theirs, f"{short}_output").LayerNorm, stream.mlp.residual.norm),
        ]
    return pairs


def test_a_layer_equals_lxmert() -> None:
    torch.manual_seed(0)
    config = LxmertConfig(
        hidden_size=24,
        num_attention_heads=3,
        intermediate_size=96,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    theirs = LxmertXLayer(config).double()
    mine = CoAttentionLayer(SPEC).double()
    pairs = _pairs(theirs, mine)
    copied = set()
    with torch.no_grad():
        for source, target in pairs:
            for (_, parameter), own in zip(
                source.named_parameters(), target.parameters(), strict=True
            ):
                nn.init.normal_(parameter, std=0.3)
                own.copy_(parameter)
                copied.add(own)
    assert copied == set(mine.parameters())
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    text = torch.randn(2, 4, 24, dtype=torch.float64, requires_grad=True)
    vision = torch.randn(2, 7, 24, dtype=torch.float64, requires_grad=True)
    hidden = torch.zeros(2, 4, dtype=torch.float64).masked_fill(~mask, -1e300)[:, None, None]
    wanted = theirs(text, hidden, vision, None)
    fused = mine({"text": Features(tokens=text, mask=mask), "vision": Features(tokens=vision)})
    found = (fused["text"].tokens, fused["vision"].tokens)
    torch.testing.assert_close(found[0][mask], wanted[0][mask])
    torch.testing.assert_close(found[1], wanted[1])

    def gradients(results: tuple[torch.Tensor, ...], weights: list[torch.Tensor]):
        loss = results[0][mask].sin().sum() + results[1].cos().sum()
        return torch.autograd.grad(loss, [text, vision, *weights])

    of_theirs = gradients(wanted, [p for source, _ in pairs for p in source.parameters()])
    of_mine = gradients(found, [p for _, target in pairs for p in target.parameters()])
    for own, other in zip(of_mine, of_theirs, strict=True):
        torch.testing.assert_close(own, other)


def test_streams_are_projected_and_told_apart() -> None:
    facts = {
        "text": TowerFacts(modality="text", width=10),
        "vision": TowerFacts(modality="vision", width=14),
    }
    fusion = CoAttention(SPEC, facts, "cross").eval()
    features = {
        "text": Features(tokens=torch.randn(2, 3, 10)),
        "vision": Features(tokens=torch.randn(2, 5, 14)),
    }
    fused = fusion(features)
    assert fused["text"].tokens.shape == (2, 3, 24)
    assert fused["vision"].tokens.shape == (2, 5, 24)
    with torch.no_grad():
        fusion.type_embedding.vectors["text"] += 1.0
    assert not torch.allclose(fusion(features)["vision"].tokens, fused["vision"].tokens)
