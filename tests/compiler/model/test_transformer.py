"""The plain stack against torch's own pre-norm encoder."""

import pytest
import torch
from torch import nn

from renaissance.compiler.errors import CompileError
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.transformer import PreNormLayer, PreNormStack
from renaissance.compiler.sources.plain.schema import PlainStack

SPEC = PlainStack(layers=2, width=24, heads=3, mlp_ratio=2.5, dropout=0.0)


def _copy(layer: PreNormLayer, into: nn.TransformerEncoderLayer) -> None:
    own = layer.attention
    pairs = [
        (own.output, into.self_attn.out_proj),
        (layer.mlp.inner, into.linear1),
        (layer.mlp.outer, into.linear2),
        (layer.attention_norm, into.norm1),
        (layer.mlp_norm, into.norm2),
    ]
    with torch.no_grad():
        for mine, theirs in pairs:
            theirs.weight.copy_(mine.weight)
            theirs.bias.copy_(mine.bias)
        inputs = (own.query, own.key, own.value)
        into.self_attn.in_proj_weight.copy_(torch.cat([part.weight for part in inputs]))
        into.self_attn.in_proj_bias.copy_(torch.cat([part.bias for part in inputs]))


def test_equals_torch() -> None:
    torch.manual_seed(0)
    stack = PreNormStack(SPEC, "text").double()
    for parameter in stack.parameters():
        nn.init.normal_(parameter, std=0.3)
    theirs = [
        nn.TransformerEncoderLayer(
            24, 3, 60, 0.0, "gelu", norm_first=True, batch_first=True, dtype=torch.float64
        )
        for _ in stack.layers
    ]
    for layer, copied in zip(stack.layers, theirs, strict=True):
        _copy(layer, copied)
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]])
    tokens = torch.randn(2, 5, 24, dtype=torch.float64, requires_grad=True)
    wanted = tokens
    for copied in theirs:
        wanted = copied(wanted, src_key_padding_mask=~mask)
    wanted = stack.norm(wanted)
    found = stack(Features(tokens=tokens, mask=mask)).tokens
    torch.testing.assert_close(found[mask], wanted[mask])
    gradients = [torch.autograd.grad(out[mask].sin().sum(), tokens)[0] for out in (found, wanted)]
    torch.testing.assert_close(*gradients)


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(CompileError, match="`text`: 5 heads do not divide a width of 24"):
        PreNormStack(SPEC.model_copy(update={"heads": 5}), "text")
