"""`recompute = layers`: the same gradients bit for bit, fewer bytes, a plan that counts both."""

import logging
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from renaissance.compiler import build, plan
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.lowering import compilation
from renaissance.compiler.lowering.compilation import compile_layers, repeated_layers
from renaissance.compiler.lowering.recomputation import recompute_layers
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.readings import Reading
from renaissance.compiler.planning.allocation import Allocation
from renaissance.grammar.schema.model import Freeze, Model
from tests.compiler.declarations import (
    DEIT,
    ELECTRA,
    one_tower,
    packed_texts,
    spec,
    two_towers,
)

BATCH, TOKENS = 8, 12
STILL = CrossAttention(inputs=("text", "vision"), layers=2, width=32, heads=4, dropout=0.0)
MODELS: dict[str, Model] = {
    "plain": two_towers(),
    "libraries": two_towers(ELECTRA, DEIT),
    "shared layers": two_towers(fusion=STILL),
    "one tower": one_tower(),
    "stack of transformers": one_tower(ELECTRA, width=16),
    "stack of timm": one_tower(DEIT),
    "frozen below": two_towers(freeze=(Freeze(selectors=("text.embeddings", "text.layers[:1]")),)),
    "frozen above": two_towers(freeze=(Freeze(selectors=("cross", "text.layers[1]")),)),
    "constant tower": two_towers(ELECTRA, DEIT, freeze=(Freeze(selectors=("vision",)),)),
}


IMAGES = torch.randint(
    256,
    (BATCH, 3, 32, 32),
    dtype=torch.uint8,
    generator=torch.Generator().manual_seed(0),
)


def scored(model: VisionLanguageModel) -> tuple[list[Tensor], list[Tensor]]:
    """Make a pass with packed texts, of which the last layer is read in part: losses, scores."""
    torch.manual_seed(1)
    texts = packed_texts(2 * BATCH, TOKENS)
    rows = torch.arange(3 * BATCH)
    features = {
        "text": model.encode("text", texts).select(rows % (2 * BATCH), len(rows) * TOKENS),
        "vision": model.encode("vision", IMAGES.float().mul_(0.01)).select(rows % BATCH),
    }
    positions = torch.arange(12)
    places = Reading(rows=BATCH, stream="text", positions=positions, tokens=BATCH * TOKENS)
    pairs = Reading(rows=2 * BATCH, tokens=2 * BATCH * TOKENS)
    tokens, pooled = model.read(features, [places, pairs])
    scores = [model.heads["mlm"](tokens).float(), model.heads["itm"](pooled).float()]
    labels = [torch.zeros(len(part), dtype=torch.long) for part in scores]
    return list(map(F.cross_entropy, scores, labels)), scores


def gradients(
    model: VisionLanguageModel, precision: str = "fp32"
) -> tuple[Tensor, dict[str, Tensor | None]]:
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        loss = torch.stack(scored(model)[0]).sum()
    loss.backward()
    return loss.detach(), {name: part.grad for name, part in model.named_parameters()}


def built(name: str) -> VisionLanguageModel:
    model = build(spec(MODELS[name]), job="base").train()
    if name == "shared layers":
        model.streams["text"].stack.layers[1] = model.streams["text"].stack.layers[0]
    return model


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_the_same_bit_for_bit_with_dropout(name: str, precision: str) -> None:
    expected = gradients(built(name), precision)
    model = built(name)
    names = list(model.state_dict())
    recompute_layers(repeated_layers(model).values())
    assert list(model.state_dict()) == names
    found = gradients(model, precision)
    after = torch.rand(())
    assert torch.equal(found[0], expected[0])
    assert any(gradient is not None for gradient in expected[1].values())
    for parameter, gradient in expected[1].items():
        other = found[1][parameter]
        assert (other is None) == (gradient is None), parameter
        assert gradient is None or torch.equal(other, gradient), parameter
    gradients(built(name), precision)
    assert torch.equal(after, torch.rand(()))  # what is drawn later is the same too


def counting(model: VisionLanguageModel) -> Counter[str]:
    """Return what counts from now on how often each layer runs, by the norm in front of it."""
    counts: Counter[str] = Counter()
    for address, layer in repeated_layers(model).items():
        first = next(part for part in layer.modules() if isinstance(part, nn.LayerNorm))

        def count(module: nn.Module, args: Any, address: str = address) -> None:
            counts[address] += 1

        first.register_forward_pre_hook(count)
    return counts


def test_constant_parts_run_once_and_others_twice() -> None:
    model = built("frozen below")
    model.streams["vision"].requires_grad_(False)
    recompute_layers(repeated_layers(model).values())
    counts = counting(model)
    gradients(model)
    assert {name: count for name, count in counts.items() if not name.startswith("cross")} == {
        "text.layers[0]": 1,
        "text.layers[1]": 2,
        "vision.layers[0]": 1,
        "vision.layers[1]": 1,
    }
    counts.clear()
    with torch.no_grad():
        scored(model.eval())
    assert counts["text.layers[1]"] == 1


class Live(TorchDispatchMode):
    """Follows the bytes of a real pass."""

    def __init__(self, model: nn.Module, *held: Tensor) -> None:
        super().__init__()
        self.allocation = Allocation([*model.parameters(), *model.buffers(), *held])

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.allocation.note(result)
        return result


@pytest.mark.parametrize("name", ["plain", "libraries", "one tower", "frozen below"])
def test_a_plan_counts_the_bytes_and_operations_of_a_real_step(name: str) -> None:
    def stage(**more: Any) -> Any:
        return plan(spec(MODELS[name], batch=BATCH, **more), device="cpu").jobs[0].stages[0]

    kept, again = stage(), stage(recompute="layers")
    assert again.memory.activations < 0.7 * kept.memory.activations
    # Where a step is dominated by gradients of embeddings, its peak stays.
    assert again.memory.peak <= kept.memory.peak
    assert again.memory.gradients == kept.memory.gradients
    assert again.flops_per_sample.forward == kept.flops_per_sample.forward
    assert again.flops_per_sample.backward == kept.flops_per_sample.backward
    assert kept.flops_per_sample.recomputed == 0 < again.flops_per_sample.recomputed
    flops = again.flops_per_sample
    assert flops.training == flops.forward + flops.backward + flops.recomputed

    model = built(name)
    recompute_layers(repeated_layers(model).values())
    live = Live(model, IMAGES)
    with live:
        # Accuracies are made from scores, so they outlive the pass.
        results, scores = scored(model)
        left = live.allocation.live
        torch.stack(results).sum().backward()
    assert scores
    gradients_left = sum(p.grad.nbytes for p in model.parameters() if p.grad is not None)
    assert left == pytest.approx(again.memory.activations, rel=0.1)
    planned = again.memory.peak - again.memory.parameters - again.memory.optimizer
    assert live.allocation.peak == pytest.approx(planned, rel=0.1)
    assert gradients_left == again.memory.gradients


@pytest.mark.parametrize("name", ["plain", "stack of timm", "frozen above"])
def test_recomputed_operations_are_those_that_torch_counts(name: str) -> None:
    declared = spec(MODELS[name], batch=BATCH, recompute="layers")
    planned = plan(declared, device="cpu").jobs[0].model.flops_per_sample
    counted = []
    for recomputes in (False, True):
        model = built(name)
        if recomputes:
            recompute_layers(repeated_layers(model).values())
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            torch.stack(scored(model)[0]).sum().backward()
        counted.append(counter.get_total_flops())
    assert planned.recomputed == round((counted[1] - counted[0]) / BATCH)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
@pytest.mark.parametrize("name", ["plain", "libraries"])
def test_compiled_layers_are_recomputed_compiled(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "BACKEND", "eager")
    monkeypatch.setattr(logging.getLogger("torch.__trace"), "propagate", False)
    torch._dynamo.reset()
    found = []
    for recomputes in (False, True):
        model = built(name)
        layers = compile_layers(model, torch.device("cpu"))
        if recomputes:
            recompute_layers(repeated_layers(model).values())
        torch.manual_seed(1)
        # One tower: each form of a layer takes seconds to trace.
        model.encode("text", packed_texts(BATCH, TOKENS)).tokens.square().mean().backward()
        found.append({key: part.grad for key, part in model.named_parameters()})
    torch._dynamo.reset()
    assert layers
    for parameter, gradient in found[0].items():
        assert gradient is None or torch.equal(gradient, found[1][parameter]), parameter
