"""What torch can do with plain models: higher derivatives, its transforms, export."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, grad, jvp, vmap

from renaissance.compiler import VisionLanguageModel, build
from renaissance.compiler.lowering.lowerings import is_lowered
from tests.compiler.declarations import DEIT, ELECTRA, VIT, one_tower, spec, two_towers

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")

MODELS = {
    "two towers": two_towers(lower="none"),
    "libraries": two_towers(ELECTRA, DEIT, lower="none"),
    "one tower": one_tower(lower="none"),
    "stack of a library": one_tower(VIT, lower="none"),
}


def built(name: str) -> VisionLanguageModel:
    model = build(spec(MODELS[name])).double().eval()
    assert not is_lowered(model)
    return model


def text(rows: int = 2, tokens: int = 5) -> dict[str, Tensor]:
    mask = torch.ones(rows, tokens, dtype=torch.int64)
    mask[-1, 3:] = 0
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(2, 60, (rows, tokens), generator=generator)
    return {"input_ids": ids, "attention_mask": mask}


def images(rows: int = 2, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, 3, 32, 32, dtype=torch.float64, generator=generator)


def made_of(model: VisionLanguageModel) -> Any:
    return lambda pixels: model(text(), pixels).pooled.sin().sum()


@pytest.mark.parametrize("name", MODELS)
def test_second_derivatives(name: str) -> None:
    function, direction = made_of(built(name)), images(seed=1)
    pixels = images().requires_grad_()
    (first,) = torch.autograd.grad(function(pixels), pixels, create_graph=True)
    (second,) = torch.autograd.grad((first * direction).sum(), pixels)
    _, wanted = jvp(grad(function), (images(),), (direction,))
    torch.testing.assert_close(second, wanted)


@pytest.mark.parametrize("name", MODELS)
def test_derivatives_in_forward_mode(name: str) -> None:
    function, direction = made_of(built(name)), images(seed=1)
    pixels = images().requires_grad_()
    (gradient,) = torch.autograd.grad(function(pixels), pixels)
    value, along = jvp(function, (images(),), (direction,))
    torch.testing.assert_close(value, function(images()))
    torch.testing.assert_close(along, (gradient * direction).sum())


@pytest.mark.parametrize("name", MODELS)
def test_gradients_of_each_sample(name: str) -> None:
    model = built(name)
    weights = {name: p.detach() for name, p in model.named_parameters()}

    def loss(weights: dict[str, Tensor], words: Tensor, mask: Tensor, pixels: Tensor) -> Tensor:
        given = {"input_ids": words[None]}
        if name != "libraries":  # transformers looks into a mask, which no vmap can
            given["attention_mask"] = mask[None]
        return functional_call(model, weights, (given, pixels[None])).pooled.sin().sum()

    words, mask = text().values()
    found = vmap(grad(loss), in_dims=(None, 0, 0, 0))(weights, words, mask, images())
    for row in range(2):
        wanted = grad(loss)(weights, words[row], mask[row], images()[row])
        for key, gradient in wanted.items():
            torch.testing.assert_close(found[key][row], gradient, msg=lambda m, k=key: f"{k}: {m}")
