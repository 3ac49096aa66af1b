"""Derivatives that torch offers work at any size, through linear maps, dropout and whole models."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap

from renaissance import build
from renaissance.compiler.lowering import linear as maps
from renaissance.compiler.lowering.dropout import add_dropped, drop_weights, dropout
from renaissance.compiler.lowering.linear import replace_linear_maps
from renaissance.compiler.model import VisionLanguageModel
from tests.compiler.declarations import DEIT, ELECTRA, one_tower, spec, two_towers


@pytest.fixture(autouse=True)
def any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "MINIMAL_WORK", 1)
    monkeypatch.setattr(maps, "MANY_ROWS", 1)


def network(own: bool) -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 5, bias=False))
    if own:
        replace_linear_maps(layers)
    return layers


def penalised(layers: nn.Sequential, tokens: Tensor) -> list[Tensor]:
    """The gradients of a gradient's norm, as a penalty on gradients needs them."""
    tokens = tokens.clone().requires_grad_()
    (first,) = torch.autograd.grad(layers(tokens).sin().sum(), tokens, create_graph=True)
    return list(torch.autograd.grad(first.square().sum(), [tokens, *layers.parameters()]))


def batched(layers: nn.Sequential, tokens: Tensor) -> list[Tensor]:
    """Several gradients in one backward pass."""
    tokens = tokens.clone().requires_grad_()
    directions = torch.eye(5).expand(4, 5, 5).transpose(0, 1)
    return list(
        torch.autograd.grad(
            layers(tokens), [tokens, *layers.parameters()], directions, is_grads_batched=True
        )
    )


def dual(layers: nn.Sequential, tokens: Tensor) -> list[Tensor]:
    with forward_ad.dual_level():
        given = forward_ad.make_dual(tokens, torch.ones_like(tokens))
        return list(forward_ad.unpack_dual(layers(given)))


def of_weights(layers: nn.Sequential, tokens: Tensor) -> list[Tensor]:
    weights = dict(layers.named_parameters())
    return list(grad(lambda w: functional_call(layers, w, (tokens,)).sin().sum())(weights).values())


# Forward mode loads decompositions that torch scripts itself.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")

DERIVATIVES: dict[str, Callable[[nn.Sequential, Tensor], list[Tensor]]] = {
    "gradient of a gradient": penalised,
    "batched gradients": batched,
    "forward mode": dual,
    "grad": of_weights,
    "vjp": lambda f, x: list(vjp(f, x)[1](torch.ones(4, 5))),
    "jvp": lambda f, x: list(jvp(f, (x,), (torch.ones_like(x),))),
    "jacrev": lambda f, x: [jacrev(f)(x)],
    "jacfwd": lambda f, x: [jacfwd(f)(x)],
    "hessian": lambda f, x: [hessian(lambda x: f(x).sin().sum())(x)],
    "vmap": lambda f, x: [vmap(f)(x.expand(3, 4, 6))],
    "gradients of each sample": lambda f, x: [vmap(grad(lambda x: f(x).sin().sum()))(x)],
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_linear_maps_give_what_torch_gives(name: str) -> None:
    tokens = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    found = DERIVATIVES[name](network(own=True), tokens)
    expected = DERIVATIVES[name](network(own=False), tokens)
    torch.testing.assert_close(found, expected)


def test_a_frozen_weight_still_hands_on_the_gradient_of_a_gradient() -> None:
    results = []
    for own in (True, False):
        layers = network(own).requires_grad_(False)
        tokens = torch.linspace(-1, 1, 24).view(4, 6).requires_grad_()
        (first,) = torch.autograd.grad(layers(tokens).sin().sum(), tokens, create_graph=True)
        results.append(torch.autograd.grad(first.square().sum(), tokens))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("drop", [dropout, drop_weights, lambda x, p: add_dropped(x, x.sin(), p)])
def test_dropout_is_differentiated_twice(drop: Callable[[Tensor, float], Tensor]) -> None:
    values = torch.rand(3, 4, dtype=torch.float64) + 0.5

    def seeded(values: Tensor) -> Tensor:
        torch.manual_seed(3)
        return drop(values, 0.5).square()

    assert gradcheck(seeded, values.requires_grad_())
    assert gradgradcheck(seeded, values.requires_grad_())


@pytest.mark.parametrize("drop", [dropout, drop_weights, lambda x, p: add_dropped(x, x, p)])
def test_dropout_is_transformed(drop: Callable[[Tensor, float], Tensor]) -> None:
    values = torch.rand(50, 40)
    slope = grad(lambda x: drop(x, 0.25).sum())(values)
    dropped = slope == slope.min()
    assert 0.15 < dropped.float().mean() < 0.35
    each = vmap(lambda x: drop(x, 0.25), randomness="different")(values)
    assert each.shape == values.shape


MODELS = {
    "plain towers": two_towers(attention="eager"),
    "library towers": two_towers(text=ELECTRA, vision=DEIT, attention="eager"),
    "plain stack": one_tower(attention="eager"),
}


def of_images(model: VisionLanguageModel) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    text = {"input_ids": torch.randint(2, 60, (2, 5), generator=torch.Generator().manual_seed(2))}
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    return lambda pixels: model(text=text, vision=pixels).pooled, pixels


@pytest.mark.parametrize("name", MODELS)
def test_whole_models(name: str) -> None:
    """Forward mode and reverse mode agree with finite differences."""
    model = build(spec(MODELS[name])).double().eval()
    run, pixels = of_images(model)
    pixels, direction = pixels.double(), torch.randn(2, 3, 32, 32, dtype=torch.float64)
    found = jvp(run, (pixels,), (direction,))[1]
    step = 1e-6
    differences = (run(pixels + step * direction) - run(pixels - step * direction)) / (2 * step)
    torch.testing.assert_close(found, differences, atol=1e-6, rtol=1e-5)
    back = vjp(run, pixels)[1](torch.ones_like(found))[0]
    torch.testing.assert_close((back * direction).sum(), found.sum())


@pytest.mark.parametrize("name", MODELS)
def test_a_penalty_on_gradients_of_images(name: str) -> None:
    model = build(spec(MODELS[name])).eval()
    run, pixels = of_images(model)
    pixels.requires_grad_()
    (first,) = torch.autograd.grad(run(pixels).sum(), pixels, create_graph=True)
    first.square().sum().backward()
    assert pixels.grad is not None
    assert pixels.grad.isfinite().all()
    assert pixels.grad.any()
