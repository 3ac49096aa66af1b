"""Post-norm layers as their papers write them, in a few lines of torch on weights by name."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from renaissance.compiler.model.features import Features
from renaissance.compiler.model.tower import TowerFacts

TEXT, VISION, HEADS = 10, 14, 3
FACTS = {
    "text": TowerFacts(modality="text", width=TEXT),
    "vision": TowerFacts(modality="vision", width=VISION),
}
MASK = torch.tensor([[True] * 4, [True, True, False, False]])

Weights = Mapping[str, Tensor]


def linear(weights: Weights, name: str, tokens: Tensor) -> Tensor:
    """Map `[..., in]` to `[..., out]`."""
    return tokens @ weights[f"{name}.weight"].mT + weights[f"{name}.bias"]


def attended(
    weights: Weights, part: str, tokens: Tensor, context: Tensor, seen: Tensor | None
) -> Tensor:
    """Let each token `[n, width]` of one row attend to those of a context that are seen `[m]`."""
    if seen is not None:
        context = context[seen]
    queries = linear(weights, f"{part}.attention.query", tokens).chunk(HEADS, -1)
    keys = linear(weights, f"{part}.attention.key", context).chunk(HEADS, -1)
    values = linear(weights, f"{part}.attention.value", context).chunk(HEADS, -1)
    found = [
        torch.softmax(query @ key.mT / query.shape[-1] ** 0.5, -1) @ value
        for query, key, value in zip(queries, keys, values, strict=True)
    ]
    update = linear(weights, f"{part}.attention.output", torch.cat(found, -1))
    return normed(weights, f"{part}.residual.norm", tokens + update)


def fed(weights: Weights, part: str, tokens: Tensor) -> Tensor:
    """Map each token `[n, width]` alone."""
    inner = linear(weights, f"{part}.mlp.inner", tokens)
    inner = inner * 0.5 * (1 + torch.erf(inner / 2**0.5))
    update = linear(weights, f"{part}.mlp.outer", inner)
    return normed(weights, f"{part}.residual.norm", tokens + update)


def normed(weights: Weights, name: str, tokens: Tensor) -> Tensor:
    """Normalise each token `[n, width]`."""
    centred = tokens - tokens.mean(-1, keepdim=True)
    scale = (centred.square().mean(-1, keepdim=True) + 1e-12).rsqrt()
    return centred * scale * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def drawn(fusion: nn.Module) -> nn.Module:
    """Draw every parameter, in float64."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in fusion.double().parameters():
            parameter.normal_(std=0.3)
    return fusion


def streams() -> dict[str, Features]:
    """Two rows of a text with padding and of an image."""
    torch.manual_seed(1)
    text = torch.randn(2, 4, TEXT, dtype=torch.float64, requires_grad=True)
    vision = torch.randn(2, 7, VISION, dtype=torch.float64, requires_grad=True)
    return {"text": Features(tokens=text, mask=MASK), "vision": Features(tokens=vision)}


def assert_same(
    fusion: nn.Module, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], *inputs: Tensor
) -> None:
    """Compare text without padding and image, and the gradients of all weights and inputs."""
    gradients = []
    for fused in (found, wanted):
        loss = fused["text"][MASK].sin().sum() + fused["vision"].cos().sum()
        gradients.append(torch.autograd.grad(loss, [*inputs, *fusion.parameters()]))
    torch.testing.assert_close(found["text"][MASK], wanted["text"][MASK])
    torch.testing.assert_close(found["vision"], wanted["vision"])
    for own, other in zip(*gradients, strict=True):
        torch.testing.assert_close(own, other)
