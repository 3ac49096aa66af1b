"""Adapters, hooks and wrappers of the fusion's projections have a say, wherever they stand."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model, inject_adapter_in_model
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.utils.flop_counter import FlopCounterMode

from renaissance import build
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.attention import MultiHeadAttention
from renaissance.compiler.model.features import Features
from tests.compiler.declarations import (
    DEIT,
    ELECTRA,
    one_tower,
    packed_texts,
    spec,
    two_towers,
)
from tests.compiler.lowered import lowered

PROJECTIONS = ("query", "key", "value", "output")
MODELS = {
    "plain towers": two_towers(),
    "library towers": two_towers(text=ELECTRA, vision=DEIT),
    "plain stack": one_tower(),
}


def built(name: str) -> tuple[VisionLanguageModel, dict[str, Any]]:
    torch.manual_seed(0)
    model = build(spec(MODELS[name])).eval()
    # Two tokens beside seventeen: short enough for the text to absorb projections.
    text = {"input_ids": torch.randint(2, 60, (3, 2))}
    return model, {"text": text, "vision": torch.randn(3, 3, 32, 32)}


def own_attentions(model: nn.Module) -> Iterator[tuple[str, MultiHeadAttention]]:
    for name, part in model.named_modules():
        if isinstance(part, MultiHeadAttention):
            yield name, part


def linear_maps(model: VisionLanguageModel) -> dict[str, nn.Module]:
    return {
        name: part
        for name, part in model.named_modules()
        if isinstance(part, nn.Linear) and not name.startswith("heads")
    }


@pytest.mark.parametrize("name", MODELS)
def test_lora_on_every_projection_learns(name: str) -> None:
    model, inputs = built(name)
    before = model(**inputs).pooled
    places = [f"{path}.{part}" for path, _ in own_attentions(model) for part in PROJECTIONS]
    inject_adapter_in_model(
        LoraConfig(r=2, lora_alpha=4, target_modules=places, init_lora_weights=False), model
    )
    after = model(**inputs).pooled
    assert not torch.allclose(after, before, atol=1e-4)
    after.square().sum().backward()
    adapters = {name: part for name, part in model.named_parameters() if "lora_" in name}
    assert len(adapters) == 2 * len(places)
    assert all(part.grad is not None and part.grad.any() for part in adapters.values())
    others = [part for name, part in model.named_parameters() if "lora_" not in name]
    assert all(part.grad is None for part in others)


@pytest.mark.parametrize("name", MODELS)
def test_lora_that_is_zero_changes_nothing_and_merges_exactly(name: str) -> None:
    model, inputs = built(name)
    before = model(**inputs).pooled
    targets = r".*\.(query|value)"
    inject_adapter_in_model(LoraConfig(r=2, target_modules=targets), model)
    torch.testing.assert_close(model(**inputs).pooled, before, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_forward_hooks_fire_for_every_linear_map(name: str) -> None:
    model, inputs = built(name)
    seen: set[str] = set()

    def note(path: str) -> Callable[..., None]:
        return lambda *_: seen.add(path)

    for path, part in linear_maps(model).items():
        part.register_forward_hook(note(path))
    expected = built(name)[0](**inputs).pooled
    torch.testing.assert_close(model(**inputs).pooled, expected, atol=1e-5, rtol=1e-5)
    assert seen == linear_maps(model).keys()


def test_hooks_for_all_modules_fire_for_every_linear_map() -> None:
    model, inputs = built("plain towers")
    seen: set[nn.Module] = set()
    handle = register_module_forward_hook(lambda part, *_: seen.add(part))
    try:
        model(**inputs)
    finally:
        handle.remove()
    assert seen >= set(linear_maps(model).values())


@pytest.mark.parametrize("kind", ["before", "backward", "before backward"])
@pytest.mark.parametrize("part", PROJECTIONS)
def test_every_kind_of_hook_fires(kind: str, part: str) -> None:
    model, inputs = built("plain towers")
    calls: list[str] = []
    for path, attention in own_attentions(model):
        projection = getattr(attention, part)
        register = {
            "before": projection.register_forward_pre_hook,
            "backward": projection.register_full_backward_hook,
            "before backward": projection.register_full_backward_pre_hook,
        }[kind]
        register(lambda *_, path=path: calls.append(path))  # type: ignore[misc]
    model(**inputs).pooled.sum().backward()
    assert {path for path, _ in own_attentions(model)} == set(calls)


class Doubled(nn.Module):
    """A wrapper that shows no weight."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, tokens: Tensor) -> Tensor:
        return 2 * self.inner(tokens)


@pytest.mark.parametrize("text", ["padded", "packed"])
@pytest.mark.parametrize("part", PROJECTIONS)
def test_a_wrapper_without_a_weight_is_called(part: str, text: str) -> None:
    model, inputs = built("plain towers")
    wrapped = built("plain towers")[0]
    if text == "packed":
        inputs["text"] = packed_texts(3, 2)
    for (_, doubled), (_, other) in zip(
        own_attentions(model), own_attentions(wrapped), strict=True
    ):
        with torch.no_grad():
            for parameter in getattr(doubled, part).parameters():
                parameter.mul_(2)
        setattr(other, part, Doubled(getattr(other, part)))
    torch.testing.assert_close(model(**inputs).pooled, wrapped(**inputs).pooled)


def test_parametrizations_and_replacements_count() -> None:
    model, inputs = built("plain towers")
    before = model(**inputs).pooled
    torch.testing.assert_close(built("plain towers")[0](**inputs).pooled, before)
    for _, attention in own_attentions(model):
        nn.utils.parametrizations.weight_norm(attention.key)
    torch.testing.assert_close(model(**inputs).pooled, before, atol=1e-5, rtol=1e-5)
    for _, attention in own_attentions(model):
        attention.value = nn.Linear(32, 32, bias=False).to(attention.value.weight.device)
        break
    assert not torch.allclose(model(**inputs).pooled, before, atol=1e-5)


def test_plain_projections_are_joined_and_absorbed_as_before() -> None:
    """What is not changed runs as fast as it did; counting operations is no hook."""
    model, inputs = built("plain towers")
    counts = []
    for hooked in (False, True):
        if hooked:
            for _, attention in own_attentions(model):
                attention.query.register_forward_hook(lambda *_: None)
        with FlopCounterMode(display=False) as counter:
            model(**inputs)
        counts.append(counter.get_total_flops())
    assert counts[0] < counts[1]


def test_co_attention_joins_and_casts_weights_once(monkeypatch: pytest.MonkeyPatch) -> None:
    part = lowered(MultiHeadAttention(16, 2, 0.0), "eager")
    joined: list[torch.Size] = []
    real = torch.cat

    def noting(tensors: Any, *rest: Any) -> Tensor:
        result = real(tensors, *rest)
        joined.append(result.shape)
        return result

    streams = [Features(tokens=torch.randn(2, tokens, 16)) for tokens in (5, 7)]
    monkeypatch.setattr(torch, "cat", noting)
    with torch.autocast("cpu", torch.bfloat16):
        part.both(*streams)
    assert joined.count(torch.Size((48, 16))) == 1


def test_lora_on_the_towers_of_libraries_learns() -> None:
    model, inputs = built("library towers")
    # timm and transformers name them differently.
    targets = r"streams\..*\.(query|key|value|qkv|proj)"
    inject_adapter_in_model(LoraConfig(r=2, target_modules=targets, init_lora_weights=False), model)
    model(**inputs).pooled.square().sum().backward()
    adapters = [part for name, part in model.named_parameters() if "lora_" in name]
    assert len(adapters) == 2 * (2 * 3 + 2 * 2 + 1)  # the last: patches are a projection too
    assert all(part.grad is not None and part.grad.any() for part in adapters)


def test_a_whole_model_is_wrapped_trained_and_merged() -> None:
    model, inputs = built("plain towers")
    before = model(**inputs).pooled.detach()
    wrapped = get_peft_model(
        model, LoraConfig(r=2, target_modules=r"fusion\..*\.(query|key|value|output)")
    )
    optimizer = torch.optim.SGD([p for p in wrapped.parameters() if p.requires_grad], lr=1.0)
    for _ in range(2):
        optimizer.zero_grad()
        wrapped(**inputs).pooled.square().sum().backward()
        optimizer.step()
    trained = wrapped(**inputs).pooled.detach()
    assert not torch.allclose(trained, before, atol=1e-4)
    merged = wrapped.merge_and_unload()
    torch.testing.assert_close(merged(**inputs).pooled, trained, atol=1e-4, rtol=1e-4)
