"""Whole models: shapes, padding, one pass for many pairs, compilation and export."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from renaissance.compiler import VisionLanguageModel, build
from renaissance.compiler.demand import unread_parts
from renaissance.compiler.errors import CompileError
from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.packing import Packing
from renaissance.compiler.model.readings import Reading
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.kinds.registry import KindError
from renaissance.grammar.schema.model import Model
from tests.compiler.declarations import (
    DEIT,
    ELECTRA,
    TEXT,
    VISION,
    VIT,
    one_tower,
    spec,
    two_towers,
)

MODELS = {
    "plain": two_towers(),
    "electra and deit": two_towers(ELECTRA, DEIT),
    "mean": two_towers(ELECTRA, VIT, pool="mean"),
    "first": two_towers(TEXT, VISION, pool="first"),
    "eager": two_towers(ELECTRA, VIT, attention="eager"),
    "one tower": one_tower(),
    "one tower, mean": one_tower(pool="mean"),
    "one tower from text": one_tower(ELECTRA, width=16),
    "one tower from timm": one_tower(DEIT),
    "one tower from vision, eager": one_tower(VIT, attention="eager"),
}


def _inputs(rows: int = 3, tokens: int = 7) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.ones(rows, tokens, dtype=torch.bool)
    mask[0, 4:] = False
    ids = torch.randint(1, 60, (rows, tokens), generator=generator)
    pixels = torch.randn(rows, 3, 32, 32, generator=generator)
    return {"text": {"input_ids": ids, "attention_mask": mask}, "vision": pixels}


def _built(model: Model) -> VisionLanguageModel:
    return build(spec(model), job="base").eval()


def _longer(stream: Features) -> Features:
    mask = None if stream.mask is None else stream.mask.repeat(1, 2)
    return Features(tokens=stream.tokens.repeat(1, 2, 1), mask=mask)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda streams: streams | {"vision": _longer(streams["vision"])},
            r"is given `vision` as \[3, 17, width\] and returns \[3, 34, width\]",
        ),
        (
            lambda streams: streams | {"vision": streams["vision"].split([2, 1], [0, 0])[0]},
            r"is given `vision` as \[3, 17, width\] and returns \[2, 17, width\]",
        ),
        (lambda streams: tuple(streams.values()), "returns a tuple"),
        (lambda streams: {"text": streams["text"]}, "returns no stream `vision`"),
        (lambda streams: streams | {"text": streams["text"].tokens}, "returns a Tensor as `text`"),
    ],
    ids=["tokens", "rows", "no mapping", "a stream less", "no features"],
)
@pytest.mark.parametrize("lower", ["auto", "none"])
def test_a_fusion_that_breaks_its_contract_is_named(change: Any, said: str, lower: str) -> None:
    model = _built(two_towers(lower=lower))
    model.fusion.register_forward_hook(lambda module, given, found: change(found))
    module = r"`renaissance\.compiler\.fusions\.cross_attention\.module`"
    with pytest.raises(KindError, match=f"`cross_attention` {said}: {module}; "):
        model(**_inputs())


def test_a_fusion_may_bring_other_tokens_of_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    model = _built(two_towers(lower="none", pool="mean"))
    given = {name: model.encode(name, part) for name, part in _inputs().items()}
    readings = [Reading(rows=2), Reading(rows=1)]
    before = model.read(given, readings)

    def longer(module: Any, streams: Any, found: dict[str, Features]) -> dict[str, Features]:
        return found | {"text": _longer(found["text"])}

    model.fusion.register_forward_hook(longer)
    with pytest.raises(KindError, match="is given `text`"):
        model.read(given, readings)
    monkeypatch.setattr(CrossAttention, "keeps", lambda fusion, stream: stream != "text")
    after = model.read(given, readings)
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other)  # a mean of everything twice
    torch.testing.assert_close(torch.cat(after), model(**_inputs()).pooled)


@pytest.mark.parametrize("name", MODELS)
def test_padding_never_changes_an_output(name: str) -> None:
    model = _built(MODELS[name])
    inputs = _inputs()
    output = model(**inputs)
    mask = inputs["text"]["attention_mask"]
    other = inputs["text"]["input_ids"].masked_fill(~mask, 9)
    changed = model(text={"input_ids": other, "attention_mask": mask}, vision=inputs["vision"])
    assert not torch.equal(other, inputs["text"]["input_ids"])
    for stream in output.streams:
        torch.testing.assert_close(changed.streams[stream], output.streams[stream])
    torch.testing.assert_close(changed.pooled, output.pooled)
    # Nor does its length: the first row alone, without padding.
    alone = model(
        text={"input_ids": other[:1, :4], "attention_mask": mask[:1, :4]},
        vision=inputs["vision"][:1],
    )
    torch.testing.assert_close(alone.streams["text"][0], output.streams["text"][0, :4])
    torch.testing.assert_close(alone.pooled[0], output.pooled[0])
    assert output.streams["text"][0, 4:].abs().sum() == 0


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_is_used(name: str) -> None:
    model = _built(MODELS[name]).train()
    output = model(**_inputs())
    tokens = output.streams["text"].flatten(0, 1)[:5]
    losses = [model.heads["mlm"](tokens), model.heads["itm"](output.pooled)]
    losses += list(output.streams.values())
    sum(loss.square().sum() for loss in losses).backward()
    unused = {name for name, p in model.named_parameters() if p.grad is None}
    assert unused == {name for names in unread_parts(model).values() for name in names}


def test_one_pass_serves_many_pairs() -> None:
    model = _built(MODELS["electra and deit"])
    inputs = _inputs()
    text = model.encode("text", inputs["text"])
    vision = model.encode("vision", inputs["vision"])
    rows, images = torch.tensor([0, 0, 2, 1]), torch.tensor([1, 0, 0, 2])
    fused = model.fuse({"text": text.select(rows), "vision": vision.select(images)})
    for row in range(4):
        single = model(
            text={key: value[rows[row]][None] for key, value in inputs["text"].items()},
            vision=inputs["vision"][images[row]][None],
        )
        torch.testing.assert_close(fused.pooled[row], single.pooled[0])
        torch.testing.assert_close(fused.streams["vision"][row], single.streams["vision"][0])


def test_heads_have_the_sizes_of_what_they_read() -> None:
    declared = spec(MODELS["electra and deit"])
    model = build(declared, job="base")
    assert model.heads["mlm"](torch.randn(2, 32)).shape == (2, 30522)
    assert model.heads["itm"](torch.randn(2, 64)).shape == (2, 2)
    assert build(declared, job="vqa").heads["answer"](torch.randn(2, 64)).shape == (2, 13)
    assert not build(declared).heads


def test_the_seed_decides_the_weights() -> None:
    declared = spec(MODELS["electra and deit"], seed=3)
    state = torch.get_rng_state()
    first, second = (build(declared, job="base").state_dict() for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], second[name]) for name in first)
    # The encoder is the same whatever heads stand on it.
    task = build(declared, job="vqa").state_dict()
    assert all(torch.equal(task[name], first[name]) for name in first if "heads" not in name)
    other = build(spec(MODELS["electra and deit"], seed=4), job="base").state_dict()
    assert not torch.equal(other["pool.dense.text.weight"], first["pool.dense.text.weight"])


@pytest.mark.parametrize("name", ["plain", "electra and deit", "one tower from vision, eager"])
def test_compiles(name: str) -> None:
    model = _built(MODELS[name])
    inputs = _inputs()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(**inputs).pooled, model(**inputs).pooled)


def _packed_inputs() -> dict[str, Any]:
    ends = torch.tensor([0, 7, 8, 12], dtype=torch.int32)
    ids = torch.randint(1, 60, (12,), generator=torch.Generator().manual_seed(0))
    text = TextInput(input_ids=ids, packing=Packing(cumulative=ends, longest=7))
    return {"text": text, "vision": _inputs()["vision"]}


@pytest.mark.parametrize("name", MODELS)
def test_packed_texts_equal_padded_ones(name: str) -> None:
    model = _built(MODELS[name]).double()
    inputs = _packed_inputs() | {"vision": _inputs()["vision"].double()}
    found, wanted = model(**inputs), model(**inputs | {"text": inputs["text"].padded()})
    torch.testing.assert_close(found.pooled, wanted.pooled)
    for stream, tokens in wanted.streams.items():
        torch.testing.assert_close(found.streams[stream], tokens)
    gradients = []
    for output in (found, wanted):
        model.zero_grad()
        (output.streams["text"].sin().sum() + output.pooled.sin().sum()).backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    for parameter, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][parameter], msg=parameter)


@pytest.mark.parametrize("name", ["plain", "electra and deit", "one tower from text"])
def test_compiles_with_packed_texts(name: str) -> None:
    model = _built(MODELS[name])
    inputs = _packed_inputs()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(**inputs).pooled, model(**inputs).pooled)


@pytest.mark.parametrize(
    "id",
    [
        "microsoft/swin-tiny-patch4-window7-224",
        "microsoft/beit-base-patch16-224",
        "swin_tiny_patch4_window7_224",
    ],
)
def test_windows_cannot_be_a_one_tower_stack(id: str) -> None:
    encoder = RandomArchitecture(id=id, image_size=224)
    with pytest.raises(CompileError, match=f"`joint`: the layers of `{id}` are no plain stack"):
        build(spec(one_tower(encoder)))


def test_a_stack_from_vision_keeps_its_last_norm() -> None:
    model = _built(one_tower(VIT))
    assert isinstance(model.fusion.encoder.norm, torch.nn.LayerNorm)


@pytest.mark.parametrize(
    ("vision", "sentence"),
    [
        ({"patch": 5}, "`vision`: patches of 5 pixels do not tile an image of 32"),
        ({"patch": 16, "image_size": 48, "stem": "convolutional", "heads": 7}, "7 heads"),
        ({"patch": 12, "image_size": 48, "stem": "convolutional"}, "power of two, not 12"),
    ],
)
def test_impossible_streams_are_refused(vision: dict[str, Any], sentence: str) -> None:
    sizes = {"layers": 1, "width": 48, "heads": 3, "image_size": 32} | vision
    with pytest.raises(CompileError, match=sentence):
        build(spec(two_towers(vision=PlainVision(**sizes))))


def test_names_that_do_not_exist_are_refused() -> None:
    declared = spec(two_towers())
    with pytest.raises(CompileError, match="there is no job `x`; jobs are `base`, `vqa`"):
        build(declared, job="x")
    with pytest.raises(CompileError, match="there is no model `x`; models are `two`"):
        build(declared, model="x")


@pytest.mark.parametrize("name", [name for name in MODELS if name.startswith("one tower")])
def test_a_stack_that_takes_no_packed_rows_gives_what_is_read(name: str) -> None:
    model = _built(MODELS[name])
    inputs = _inputs()
    features = {stream: model.encode(stream, value) for stream, value in inputs.items()}
    features["text"] = features["text"].packed()
    readings = [
        Reading(rows=2, stream="text", positions=torch.tensor([0, 3, 4, 5]), tokens=4 + 7),
        Reading(rows=1, tokens=7),
    ]
    expected = model.read(features, readings)
    encoder = model.fusion.encoder
    encoder.facts = replace(encoder.facts, packs=False)
    for found, wanted in zip(model.read(features, readings), expected, strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_read_equals_the_whole(name: str, packed: bool) -> None:
    model = _built(MODELS[name]).double()
    inputs = _inputs() | {"vision": _inputs()["vision"].double()}
    features = {stream: model.encode(stream, value) for stream, value in inputs.items()}
    whole = model.fuse(features)
    positions = torch.tensor([0, 3, 7, 8])
    places, counts = positions, (0, 0)
    if packed:
        features["text"] = features["text"].packed()
        places, counts = torch.tensor([0, 3, 4, 5]), (4 + 7, 7)
    readings = [
        Reading(rows=2, stream="text", positions=places, tokens=counts[0]),
        Reading(rows=1, tokens=counts[1]),
    ]
    tokens, pooled = model.read(features, readings)
    expected = whole.streams["text"][:2].flatten(0, 1)[positions]
    torch.testing.assert_close(tokens, expected)
    torch.testing.assert_close(pooled, whole.pooled[2:])

    parameters = [p for p in model.parameters() if p.requires_grad]
    loss = tokens.square().sum() + pooled.square().sum()
    found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    loss = expected.square().sum() + whole.pooled[2:].square().sum()
    wanted = torch.autograd.grad(loss, parameters, allow_unused=True)
    for parameter, gradient, other in zip(parameters, found, wanted, strict=True):
        zeros = torch.zeros_like(parameter)
        torch.testing.assert_close(
            zeros if gradient is None else gradient, zeros if other is None else other
        )
