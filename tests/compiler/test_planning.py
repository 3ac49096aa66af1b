"""Plans against built modules: counts exactly, operations as torch counts them."""

import json
import random
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from renaissance.compiler import VisionLanguageModel, build, plan
from renaissance.compiler.errors import CompileError
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.model.readings import Reading
from renaissance.compiler.planning.model_plan import Flops, ModelPlan
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.declaration import Share
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.schema.jobs import Pretrain
from renaissance.grammar.schema.model import Adapt, Freeze, Model
from renaissance.grammar.schema.spec import Spec
from renaissance.render.plan import text_of
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mlm.schema import Mlm
from tests.compiler.declarations import (
    DEIT,
    ELECTRA,
    TEXT,
    VISION,
    VIT,
    joined_by,
    one_tower,
    packed_texts,
    spec,
    two_towers,
)


def _freeze(*selectors: str, excluded: tuple[str, ...] = ()) -> Freeze:
    return Freeze(selectors=selectors, excluded=excluded)


ROBERTA = RandomArchitecture(id="roberta-base", layers=2, width=32, heads=2, max_tokens=12)
DISTILBERT = RandomArchitecture(
    id="distilbert-base-uncased", layers=2, width=32, heads=2, max_tokens=12
)
BEIT = RandomArchitecture(
    id="microsoft/beit-base-patch16-224", layers=2, width=32, heads=2, image_size=32
)
CLIP = RandomArchitecture(
    id="openai/clip-vit-base-patch16", layers=2, width=32, heads=2, image_size=32
)
CONVOLUTIONS = PlainVision(
    layers=1, width=32, heads=2, image_size=32, patch=8, stem="convolutional"
)
MODELS: dict[str, Model] = {
    "plain": two_towers(),
    "convolutional stem": two_towers(TEXT, CONVOLUTIONS),
    "electra and vit": two_towers(ELECTRA, VIT),
    "electra and timm": two_towers(ELECTRA, DEIT),
    "roberta and beit": two_towers(ROBERTA, BEIT),
    "distilbert and clip": two_towers(DISTILBERT, CLIP),
    "mean": two_towers(TEXT, VISION, pool="mean"),
    "first": two_towers(TEXT, VISION, pool="first"),
    "absorbed projections": two_towers(
        TEXT,
        PlainVision(layers=1, width=32, heads=2, image_size=32, patch=4),
        fusion=CrossAttention(inputs=("text", "vision"), layers=2, width=32, heads=1),
    ),
    "one tower": one_tower(),
    "one tower from text": one_tower(ELECTRA, width=16),
    "one tower from timm": one_tower(DEIT),
    **{word: joined_by(word) for word in Kinds(FusionBlock)},
}
FREEZES: dict[str, tuple[Freeze, ...]] = {
    "none": (),
    "text": (_freeze("text"),),
    "vision": (_freeze("vision"),),
    "both": (_freeze("text", "vision"),),
    "lower half": (
        _freeze("text.embeddings", "text.layers[:1]", "vision.embeddings", "vision.layers[:1]"),
    ),
    "fusion": (_freeze("cross"),),
    "all but norms": (_freeze("text", "vision", "cross", "pool", excluded=("norm",)),),
    "norms": (_freeze("norm"),),
    "feed-forward parts and biases": (_freeze("mlp", "bias"),),
    "everything": (_freeze("text", "vision", "cross", "pool"),),
}


class Counted(NamedTuple):
    forward: int
    backward: int


def alone(model: Model, device: str | None = None) -> ModelPlan:
    """Plan a model without jobs, which take most of the time of a plan."""
    return plan(Spec(models={model.name: model}), device=device).models[0]


def _planned(flops: Flops) -> Counted:
    assert flops.to_inputs + flops.to_weights == flops.backward
    assert flops.forward + flops.backward == flops.training
    return Counted(forward=flops.forward, backward=flops.backward)


def counted(model: VisionLanguageModel, results: Any) -> Counted:
    """Count what torch really does; its fused attention on a CPU is unknown to its counter."""
    model.train()
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        losses: list[Tensor] = [loss for loss in results() if loss.requires_grad]
        forward = counter.get_total_flops()
        if losses:
            sum(loss.sum() for loss in losses).backward()
    training = counter.get_total_flops()
    return Counted(forward=forward, backward=training - forward)


def _sample(model: VisionLanguageModel) -> Counted:
    def results() -> list[Tensor]:
        text = {"input_ids": torch.randint(2, 60, (1, 12))}
        output = model(text=text, vision=torch.randn(1, 3, 32, 32))
        return [*output.streams.values(), output.pooled]

    return counted(model, results)


@pytest.mark.parametrize("name", MODELS)
def test_counts_and_operations_equal_the_built_model(name: str) -> None:
    planned = alone(MODELS[name], "cpu")
    model = build(spec(MODELS[name]))
    count = sum(parameter.numel() for parameter in model.parameters())
    assert planned.parameters.total == count
    assert sum(part.parameters for part in planned.components) == count
    assert planned.parameters.trainable + planned.parameters.frozen == count
    assert _planned(planned.flops_per_sample) == _sample(model)
    assert sum(part.flops.training for part in planned.components) == (
        planned.flops_per_sample.training
    )


@pytest.mark.parametrize("freeze", FREEZES)
@pytest.mark.parametrize("towers", ["plain", "electra and timm"])
def test_operations_under_every_freeze(towers: str, freeze: str) -> None:
    declared = MODELS[towers].model_copy(update={"freeze": FREEZES[freeze]})
    planned = alone(declared, "cpu")
    model = build(spec(declared))
    assert _planned(planned.flops_per_sample) == _sample(model)
    learning = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert planned.parameters.trainable == learning
    assert sum(part.trainable for part in planned.components) == learning


@pytest.mark.parametrize("towers", ["plain", "electra and timm"])
def test_operations_of_adapters(towers: str) -> None:
    adapt = (
        Adapt(selectors=("text.layers[1].attention", "vision.mlp"), rank=3),
        Adapt(selectors=("cross",), excluded=("norm",), rank=2),
    )
    model = MODELS[towers].model_copy(update={"adapt": adapt, "freeze": (_freeze("text"),)})
    planned = alone(model, "cpu")
    built = build(spec(model))
    assert _planned(planned.flops_per_sample) == _sample(built)
    learning = sum(p.numel() for p in built.parameters() if p.requires_grad)
    assert planned.parameters.trainable == learning
    rows = {part.address: part for part in planned.components}
    row = rows["text.layers[1].attention.adapter"]
    assert row.trainable == row.parameters > 0 and row.flops.forward > 0
    assert rows["text.layers[1].attention"].trainable == 0
    assert [part.rank for part in planned.freeze] == [None, 3, 2]
    adapters = [part.parameters for part in planned.components if part.kind == "adapter"]
    assert sum(part.adapters for part in planned.freeze) == sum(adapters)
    # Nothing flows back below the first adapter.
    assert rows["text.layers[0].attention"].flops.backward == 0


def test_seeded_random_models_are_counted_exactly() -> None:
    draw = random.Random(0)
    for _ in range(4):
        heads = draw.randint(1, 4)
        text = TEXT.model_copy(
            update={
                "layers": draw.randint(1, 3),
                "heads": heads,
                "width": heads * draw.randint(1, 9),
                "vocabulary": draw.randint(64, 99),
                "mlp_ratio": draw.uniform(0.5, 4),
            }
        )
        declared = spec(two_towers(text, pool=draw.choice(["cls", "mean", "first"])))
        planned = plan(declared)
        for job in (None, "base", "vqa"):
            model = build(declared, job=job)
            found = planned.models[0] if job is None else planned.jobs[job == "vqa"].model
            assert found.parameters.total == sum(p.numel() for p in model.parameters())


def test_kinds_of_gradients() -> None:
    norms = (_freeze("text", "vision", "cross", "pool", excluded=("norm",)),)
    only_inputs = alone(two_towers(freeze=norms)).flops_per_sample
    assert only_inputs.to_weights == 0 < only_inputs.to_inputs
    both = alone(two_towers())
    layer = next(part for part in both.components if part.address == "text.layers[1].mlp")
    assert layer.flops.to_inputs == layer.flops.to_weights == layer.flops.forward
    attention = next(part for part in both.components if part.address == "cross.layers[0].cross")
    # Products of activations with each other hand two gradients on, and none to weights.
    assert attention.flops.to_inputs > attention.flops.forward > attention.flops.to_weights
    of_each_other = attention.flops.to_inputs - attention.flops.forward
    assert attention.flops.to_weights == attention.flops.forward - of_each_other


def test_gradient_flow_follows_the_table() -> None:
    freeze = (_freeze("text", "cross.layers[0]"),)
    planned = alone(two_towers(TEXT, VISION, freeze=freeze))
    flow = {part.address: part.gradient for part in planned.components}
    assert flow["text.layers[1].mlp"] == "none"
    assert flow["cross.projection.text"] == "weights"
    assert flow["vision.embeddings"] == "weights"
    assert flow["vision.layers[0].attention"] == "both"
    assert flow["cross.layers[0].cross"] == "input"
    assert flow["cross.layers[1].cross"] == "both"
    constant = [part for part in planned.components if part.gradient == "none"]
    assert constant and all(part.flops.backward == 0 for part in constant)


def test_nothing_flows_back_into_what_a_frozen_tower_gives() -> None:
    frozen = (_freeze("vision"),)
    planned = alone(joined_by("asymmetric", freeze=frozen))
    flow = {part.address: part for part in planned.components}
    image = [part for address, part in flow.items() if address.startswith("vision.")]
    assert image and all((part.gradient, part.flops.backward) == ("none", 0) for part in image)
    learning = alone(joined_by("asymmetric"))
    crossing = next(one for one in learning.components if one.address == "cross.layers[0].cross")
    # Keys and values learn, and hand nothing on.
    assert flow["cross.layers[0].cross"].gradient == crossing.gradient == "both"
    assert flow["cross.layers[0].cross"].flops.to_inputs < crossing.flops.to_inputs
    assert flow["cross.layers[0].cross"].flops.to_weights == crossing.flops.to_weights


def test_shapes_are_those_of_one_sample() -> None:
    planned = alone(two_towers(ELECTRA, DEIT))
    shapes = {part.address: (part.input, part.output) for part in planned.components}
    assert shapes["text.embeddings"] == ((12,), (12, 32))
    assert shapes["vision.embeddings"] == ((3, 32, 32), (5, 48))
    assert shapes["vision.layers[1].mlp"] == ((5, 48), (5, 48))
    assert shapes["cross.projection.vision"] == ((5, 48), (5, 32))
    assert shapes["pool.text"] == ((32,), (32,))


def _step(model: VisionLanguageModel, job: Pretrain, texts: int, masked: int) -> list[Tensor]:
    """One step, written down once more: images once, texts masked and plain, one fusion."""
    images = texts // job.texts_per_image
    pairs = texts * (2 + job.objectives[1].negatives)
    chosen = torch.arange(pairs) % (2 * texts)
    text = model.encode("text", packed_texts(2 * texts, 12)).select(chosen, 12 * pairs)
    vision = model.encode("vision", torch.randn(images, 3, 32, 32))
    features = {"text": text, "vision": vision.select(torch.arange(pairs) % images)}
    places = Reading(rows=texts, stream="text", positions=torch.arange(masked), tokens=12 * texts)
    others = Reading(rows=pairs - texts, tokens=12 * (pairs - texts))
    tokens, pooled = model.read(features, [places, others])
    return [model.heads["mlm"](tokens), model.heads["itm"](pooled)]


@pytest.mark.parametrize("freeze", ["none", "text", "both", "vision", "lower half"])
def test_a_pretraining_step_is_counted_as_it_runs(freeze: str) -> None:
    objectives = (Mlm(probability=Share(0.2)), Itm(negatives=2))
    model = two_towers(freeze=FREEZES[freeze])
    job = (
        spec(model, texts_per_image=2, batch=16)
        .jobs["base"]
        .model_copy(update={"objectives": objectives})
    )
    declared = Spec(models={"two": model}, jobs={"base": job})
    planned = plan(declared, device="cpu").jobs[0].model.flops_per_sample
    built = build(declared, job="base")
    found = counted(built, lambda: _step(built, job, 16, 32))
    assert planned.forward == round(found.forward / 16)
    assert planned.backward == pytest.approx(found.backward / 16, rel=1e-6)


def test_jobs_have_the_freezing_of_their_own_model() -> None:
    declared = spec(two_towers())
    own = two_towers(freeze=FREEZES["both"])
    declared = declared.model_copy(update={"job_models": {"vqa": own}})
    planned = plan(declared)
    base, vqa = planned.jobs
    assert base.model.parameters.frozen == 0
    assert vqa.model.parameters.frozen > 0
    assert vqa.model.components[-1].address == "heads.answer"
    frozen = build(declared, job="vqa")
    count = sum(p.numel() for p in frozen.parameters() if not p.requires_grad)
    assert vqa.model.parameters.frozen == count


def test_a_gpu_multiplies_in_order_what_a_cpu_absorbs() -> None:
    on_cpu, on_gpu = (alone(MODELS["absorbed projections"], on) for on in ("cpu", "cuda"))
    assert on_cpu.flops_per_sample.training < on_gpu.flops_per_sample.training
    assert on_cpu.parameters == on_gpu.parameters


def test_as_json_and_as_text() -> None:
    planned = plan(spec(two_towers(ELECTRA, VIT, freeze=FREEZES["text"])), device="cpu")
    document = json.loads(json.dumps(planned.to_dict()))
    model = document["models"][0]
    assert model["name"] == "two"
    assert set(model["parameters"]) == {"total", "trainable", "frozen", "unread", "tied"}
    assert set(model["flops_per_sample"]) >= {"forward", "training"}
    assert {"address", "kind", "input", "output", "parameters", "trainable"} <= set(
        model["components"][0]
    )
    text = text_of(planned)
    assert "layers[0:2]" in text
    assert "attention of cross: a stream absorbs the projections of a far longer one" in text
    assert "frozen" in text
    assert f"{model['parameters']['total']:,} parameters" in text
    assert "freeze text:" in text


def test_large_models_need_no_memory_and_no_network() -> None:
    text = RandomArchitecture(id="google/electra-base-discriminator", max_tokens=50)
    vision = RandomArchitecture(id="google/vit-base-patch16-224", image_size=224)
    planned = alone(two_towers(text, vision))
    towers = {"text": 108_891_648, "vision": 85_798_656}
    for root, count in towers.items():
        parts = [part for part in planned.components if part.address.startswith(f"{root}.")]
        assert sum(part.parameters for part in parts) == count


def test_a_model_that_does_not_exist() -> None:
    with pytest.raises(CompileError, match="there is no model `x`; models are `two`"):
        plan(spec(two_towers()), "x")
