"""Lowered models against plain ones: outputs and gradients, all lowerings and each alone."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor

from renaissance.compiler import VisionLanguageModel, build, plan
from renaissance.compiler.lowering import compilation
from renaissance.compiler.lowering.context import Context
from renaissance.compiler.lowering.dropout import QuickDropout, dropout
from renaissance.compiler.lowering.lowerings import (
    LOWERINGS,
    OF_MODELS,
    Lowering,
    explained,
    is_lowered,
    lower,
)
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.packing import Packing
from renaissance.compiler.model.readings import Reading
from renaissance.compiler.model.transformer import PreNormLayer
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.schema.model import Model
from renaissance.render.plan import text_of
from tests.compiler.declarations import (
    DEIT,
    ELECTRA,
    STACK,
    TEXT,
    VISION,
    VIT,
    joined_by,
    one_tower,
    spec,
    two_towers,
)

FAR = VISION.model_copy(update={"patch": 4})
"""64 patches: so many more than words that a text absorbs their projections."""

POOLS = ("first", "mean", "last")
MODELS = {
    "two towers": two_towers(),
    "far longer images": two_towers(vision=FAR),
    "mean": two_towers(pool="mean"),
    "first": two_towers(pool="first"),
    "libraries": two_towers(ELECTRA, DEIT),
    "transformers": two_towers(ELECTRA, VIT, pool="mean"),
    "one tower": one_tower(),
    "one tower, mean": one_tower(pool="mean", width=24),
    "stack of texts": one_tower(ELECTRA),
    "stack of images": one_tower(VIT),
    "stack of timm": one_tower(DEIT),
    "each with weights of its own": joined_by("cross_attention", cross="own"),
    "each with weights of its own, first": joined_by("cross_attention", cross="own", pool="first"),
    "nothing between towers and layers": joined_by(
        "cross_attention", type_embedding=False, projection="needed", pooler="none"
    ),
    "merged as it comes": joined_by(
        "merged_attention", type_embedding=False, projection="needed", pooler="none"
    ),
    "one tower as BERT embeds": one_tower(
        pooler="none", text={"token_types": 2, "eps": 1e-12}, type_embedding=False
    ),
    **{
        f"{word}, {pool}": joined_by(word, pool=pool)
        for word in Kinds(FusionBlock)
        for pool in POOLS
    },
}
LENGTHS = (5, 2, 7)


def built(name: str, **changes: Any) -> VisionLanguageModel:
    model = MODELS[name].model_copy(update=changes)
    found = build(spec(model), job="base").double().eval()
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        for parameter in found.parameters():
            if not parameter.any():
                parameter.normal_(std=0.3, generator=generator)
    return found


def outcome(model: VisionLanguageModel, packed: bool = True) -> dict[str, Tensor]:
    """All that a model gives for texts and images, and the gradients of what it is read for."""
    generator = torch.Generator().manual_seed(0)
    ends = torch.tensor([0, *LENGTHS]).cumsum(0, dtype=torch.int32)
    ids = torch.randint(2, 60, (sum(LENGTHS),), generator=generator)
    text = TextInput(input_ids=ids, packing=Packing(cumulative=ends, longest=max(LENGTHS)))
    pixels = torch.randn(2, 3, 32, 32, generator=generator).double().requires_grad_()
    whole = model(text=text if packed else text.padded(), vision=pixels[[0, 1, 1]])
    # As a training step reads: distinct inputs are encoded once, pairs are joined.
    pairs = torch.tensor([0, 1, 2, 2])
    features = {
        "text": model.encode("text", text).select(pairs, sum(LENGTHS) + LENGTHS[2]),
        "vision": model.encode("vision", pixels).select(torch.tensor([0, 0, 1, 0])),
    }
    readings = [
        Reading(rows=2, stream="text", positions=torch.tensor([1, 4, 6]), tokens=sum(LENGTHS[:2])),
        Reading(rows=2, tokens=2 * LENGTHS[2]),
    ]
    tokens, pooled = model.read(features, readings)
    loss = tokens.sin().sum() + pooled.square().sum() + whole.pooled.sum()
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    found = torch.autograd.grad(loss, [pixels, *parameters.values()], allow_unused=True)
    gradients = {
        name: torch.zeros_like(of) if gradient is None else gradient
        for (name, of), gradient in zip(
            {"pixels": pixels, **parameters}.items(), found, strict=True
        )
    }
    return {**whole.streams, "whole": whole.pooled, "tokens": tokens, "pooled": pooled} | gradients


def assert_same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, wanted[name], msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_a_lowered_model_computes_what_the_plain_one_does(name: str, packed: bool) -> None:
    plain, lowered = built(name, lower="none"), built(name)
    assert is_lowered(lowered) and not is_lowered(plain)
    state = plain.state_dict()
    assert [*state] == [*lowered.state_dict()]
    for key, tensor in lowered.state_dict().items():
        assert torch.equal(tensor, state[key]), key
    assert_same(outcome(lowered, packed), outcome(plain, packed))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("lowering", OF_MODELS, ids=lambda lowering: lowering.name)
def test_each_lowering_alone_changes_nothing(lowering: Lowering, name: str) -> None:
    plain = built(name, lower="none")
    alone = deepcopy(plain).float()
    if not lowering.applies(alone, Context()):
        pytest.skip("does not apply")
    lowering.apply(alone, Context())
    assert lowering.applies(alone, Context())
    assert lowering.explain(alone, Context())
    alone.double().load_state_dict(plain.state_dict())
    assert_same(outcome(alone), outcome(plain))


def test_every_lowering_applies_to_some_model() -> None:
    for lowering in OF_MODELS:
        declared = [two_towers(TEXT.model_copy(update={"dropout": 0.1})), *MODELS.values()]
        assert any(
            lowering.applies(build(spec(model), job="base"), Context()) for model in declared
        ), lowering.name


# Without layers that join streams only those of towers are left, which the others have too.
JOINED = [f"{word}, first" for word in Kinds(FusionBlock) if word != "dual_encoder"]


@pytest.mark.parametrize("name", ["stack of images", *JOINED])
@pytest.mark.parametrize("word", ["compilation", "recomputation"])
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
def test_layers_that_are_compiled_or_run_again_compute_the_same(
    word: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compilation, "BACKEND", "aot_eager")
    # Each layer is compiled for itself; those of towers are the same whatever joins them.
    towers = {
        stream: block.model_copy(update={"layers": 1}) if hasattr(block, "layers") else block
        for stream, block in MODELS[name].streams.items()
    }
    plain = built(name, lower="none", streams=towers)
    alone = deepcopy(plain)
    (lowering,) = [one for one in LOWERINGS if one.name == word]
    context = Context(compiles=True, recomputes=True)
    assert lowering.applies(alone, context) and not lowering.applies(alone, Context())
    lowering.apply(alone, context)
    assert "repeated layers" in lowering.explain(alone, context)
    assert_same(outcome(alone), outcome(plain))
    torch.compiler.reset()


def test_weights_held_in_low_precision_give_the_same_bits() -> None:
    plain = build(spec(two_towers(lower="none")), job="base").eval()
    held = deepcopy(plain)
    names = {name for name, _ in plain.named_parameters() if name.startswith("streams.vision.")}
    (lowering,) = [one for one in LOWERINGS if one.name == "low precision"]
    context = Context(products=torch.bfloat16, never=names)
    assert lowering.applies(held, context) and not lowering.applies(held, Context(never=names))
    lowering.apply(held, context)
    assert lowering.applies(held, context)
    pixels = torch.randn(2, 3, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        found, wanted = (model.encode("vision", pixels).tokens for model in (held, plain))
    assert torch.equal(found, wanted)
    assert "numbers that never learn are held in bfloat16" in lowering.explain(held, context)


def test_quick_dropout_drops_what_the_plain_one_would_with_its_masks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where both draw the same masks, all else is the same."""
    monkeypatch.setattr(
        "renaissance.compiler.model.dropout.F.dropout",
        lambda values, probability, training=True: dropout(values, probability * training),
    )
    stack = STACK.model_copy(update={"dropout": 0.3})
    torch.manual_seed(0)
    plain = PreNormLayer(stack).double().train()
    plain.attention.dropout = 0.0
    quick = deepcopy(plain)
    QuickDropout().apply(quick, Context())
    results = []
    for layer in (quick, plain):
        torch.manual_seed(1)
        tokens = torch.randn(2, 5, 32, dtype=torch.float64, requires_grad=True)
        out = layer(Features(tokens=tokens)).tokens
        results.append((out, *torch.autograd.grad(out.sin().sum(), [tokens, *layer.parameters()])))
    for found, wanted in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted)


def test_lowering_twice_changes_nothing_more() -> None:
    once = built("transformers")
    twice = deepcopy(once)
    lower(twice, Context(), OF_MODELS)
    assert [type(part) for part in once.modules()] == [type(part) for part in twice.modules()]
    assert_same(outcome(twice), outcome(once))


def test_a_gpu_is_not_promised_what_only_a_cpu_runs() -> None:
    model = build(spec(two_towers(TEXT.model_copy(update={"dropout": 0.1}))))
    anywhere, on_gpu = (
        {one.name for one in explained(model, Context(device=device))} for device in (None, "cuda")
    )
    assert anywhere - on_gpu == {"absorption", "dropout", "linear"}


@pytest.mark.parametrize("model", [two_towers(), one_tower(VIT)])
def test_a_plan_lists_what_applies(model: Model) -> None:
    found = plan(spec(model, precision="bf16", compile="layers", recompute="layers"))
    alone = [lowering.name for lowering in found.models[0].lowered]
    assert alone[0] == "rows"
    assert [one.name for one in found.jobs[0].model.lowered] == [
        *alone,
        "compilation",
        "recomputation",
    ]
    text = text_of(found)
    for lowering in found.models[0].lowered:
        assert f"{lowering.name}: {lowering.what}" in text


@pytest.mark.parametrize("model", [two_towers(), two_towers(ELECTRA, DEIT), one_tower(VIT)])
def test_a_plan_without_lowerings_says_so(model: Model) -> None:
    plain = spec(
        model.model_copy(update={"lower": "none"}),
        precision="bf16",
        compile="layers",
        recompute="layers",
    )
    found = plan(plain)
    assert all(not planned.lowered for planned in found.models)
    assert not any(job.model.lowered or job.recomputes for job in found.jobs)
    used = found.models[0].attention.values()
    assert {(part.implementation, part.reason) for part in used} == {("eager", "`lower = none`")}
    assert "`lower = none`: padded, all computed" in text_of(found)
