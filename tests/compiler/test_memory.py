"""Predicted bytes against what autograd really keeps."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from renaissance.compiler import build, plan
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.readings import Reading
from renaissance.compiler.planning.allocation import Allocation
from renaissance.compiler.planning.job_plan import Memory
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.model import Freeze
from renaissance.runtime.training.optimization import Optimization
from tests.compiler.declarations import (
    DEIT,
    ELECTRA,
    TEXT,
    VISION,
    packed_texts,
    spec,
    two_towers,
)

BATCH, TOKENS = 8, 12
FREEZES: dict[str, tuple[Freeze, ...]] = {
    "none": (),
    "text": (Freeze(selectors=("text",)),),
    "vision": (Freeze(selectors=("vision",)),),
    "both": (Freeze(selectors=("text", "vision")),),
    "layer": (Freeze(selectors=("text.embeddings", "text.layers[:1]")),),
}
STILL = CrossAttention(inputs=("text", "vision"), layers=2, width=32, heads=4, dropout=0.0)


def pixels() -> Tensor:
    return torch.randn(BATCH, 3, 32, 32)


def losses(model: VisionLanguageModel, images: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Make a pretraining pass as the runtime does, with masked and plain texts and one fusion."""
    rows = torch.arange(3 * BATCH)
    texts = packed_texts(2 * BATCH, TOKENS)
    features = {
        "text": model.encode("text", texts).select(rows % (2 * BATCH), len(rows) * TOKENS),
        "vision": model.encode("vision", images).select(rows % BATCH),
    }
    masked = round(0.15 * BATCH * (TOKENS - 2))
    places = Reading(
        rows=BATCH, stream="text", positions=torch.arange(masked), tokens=BATCH * TOKENS
    )
    pairs = Reading(rows=2 * BATCH, tokens=2 * BATCH * TOKENS)
    tokens, pooled = model.read(features, [places, pairs])
    scores = [model.heads["mlm"](tokens).float(), model.heads["itm"](pooled).float()]
    labels = [torch.zeros(len(part), dtype=torch.long) for part in scores]
    return list(map(F.cross_entropy, scores, labels)), scores


def kept(model: VisionLanguageModel, precision: str) -> int:
    """Return the bytes that a pass leaves, weights and images left out, each storage once."""
    images = pixels()
    there = {part.untyped_storage().data_ptr() for part in model.parameters()}
    # Tensors are held, so that no address is used twice.
    held: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    types = {"bf16": torch.bfloat16}
    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        torch.autocast("cpu", types.get(precision), enabled=precision in types),
    ):
        for scores in losses(model, images)[1]:
            # Accuracies are made from scores, so they outlive the pass.
            held[scores.untyped_storage().data_ptr()] = scores
    return sum(
        tensor.untyped_storage().nbytes()
        for address, tensor in held.items()
        if address not in there
    )


@pytest.mark.parametrize(
    ("towers", "freeze", "precision"),
    [
        *(("plain", freeze, precision) for freeze in FREEZES for precision in ("fp32", "bf16")),
        ("libraries", "none", "bf16"),
        ("libraries", "layer", "fp32"),
    ],
)
def test_activations_are_what_autograd_keeps(towers: str, freeze: str, precision: str) -> None:
    text, vision = (TEXT, VISION) if towers == "plain" else (ELECTRA, DEIT)
    model = two_towers(text, vision, freeze=FREEZES[freeze])
    declared = spec(model, batch=BATCH, precision=precision)
    planned = plan(declared, device="cpu").jobs[0].stages[0].memory
    found = kept(build(declared, job="base").train(), precision)
    assert planned.activations == pytest.approx(found, rel=0.02)


def test_gradients_and_averages_are_those_of_a_step() -> None:
    declared = spec(two_towers(freeze=FREEZES["text"]), batch=BATCH)
    planned = plan(declared, device="cpu").jobs[0].stages[0].memory
    model = build(declared, job="base").train()
    optimization = Optimization(model, declared.jobs["base"].optimizer, {})
    torch.stack(losses(model, pixels())[0]).sum().backward()
    gradients = [part.grad for part in model.parameters() if part.grad is not None]
    assert planned.gradients == sum(part.numel() * 4 for part in gradients)
    assert optimization.torch is not None
    optimization.torch.step()
    state = optimization.state()
    averages = sum(value.numel() * 4 for value in state.values() if value.dim())
    assert planned.optimizer == averages
    tensors: list[Any] = [*model.parameters(), *model.buffers()]
    assert planned.parameters == sum(part.numel() * part.element_size() for part in tensors)


def test_the_peak_has_its_parts() -> None:
    declared = spec(two_towers(fusion=STILL), batch=BATCH)
    memory = plan(declared).jobs[0].stages[0].memory
    parts = memory.parameters + memory.optimizer + memory.inputs + memory.activations
    assert memory.peak == parts + memory.temporary
    assert memory.temporary > 0


def test_micro_batches_keep_less_and_hold_gradients_from_the_start() -> None:
    def stage(**more: int) -> Memory:
        return plan(spec(two_towers(), batch=64, **more), device="cpu").jobs[0].stages[0].memory

    whole, parts = stage(), stage(micro_batch=8)
    assert parts.activations < whole.activations / 4
    assert parts.gradients == whole.gradients
    assert whole.inputs == 64 * 3 * 32 * 32
    # An image that texts of several passes are shown is there for each of them.
    assert parts.inputs > whole.inputs
    assert parts.temporary >= parts.gradients
    assert parts.peak < whole.peak
    on_gpu = plan(spec(two_towers(), batch=64, micro_batch=8)).jobs[0].stages[0].memory
    assert on_gpu.inputs < parts.inputs  # this pass and the next


def test_what_starts_to_learn_later_makes_a_stage() -> None:
    later = (Freeze(selectors=("text", "vision"), until=Share(0.3)),)
    frozen, open_ = plan(spec(two_towers(freeze=later))).jobs[0].stages
    assert (frozen.start, frozen.steps, open_.start, open_.steps) == (0, 3, "30%", 7)
    assert frozen.trainable < open_.trainable
    assert frozen.memory.peak < open_.memory.peak
    free = plan(spec(two_towers())).jobs[0].stages[0]
    assert open_.flops_per_sample == free.flops_per_sample
    assert open_.memory == free.memory


def test_allocation_follows_storages() -> None:
    weight = torch.empty(4, device="meta")
    allocation = Allocation([weight])
    first = torch.empty(10, device="meta")
    allocation.note([first, first.view(2, 5), weight])
    assert allocation.live == 40
    second = torch.empty(5, device="meta")
    allocation.note(second)
    del first
    assert (allocation.live, allocation.peak) == (20, 60)


def test_dropout_of_a_gpu_keeps_bytes() -> None:
    fusion = STILL.model_copy(update={"dropout": 0.1})
    of = {
        (device, name): plan(spec(two_towers(fusion=part)), device=device)  # type: ignore[arg-type]
        .jobs[0]
        .stages[0]
        .memory.activations
        for device in ("cpu", "cuda")
        for name, part in (("dropout", fusion), ("none", STILL))
    }
    on_cpu = of["cpu", "dropout"] - of["cpu", "none"]
    on_gpu = of["cuda", "dropout"] - of["cuda", "none"]
    # Without a fused kernel a CPU also keeps attention weights when some of them are dropped.
    assert 0 < 4 * on_gpu < on_cpu
