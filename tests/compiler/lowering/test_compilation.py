"""torch.compile, layer by layer: which, how often, with what result."""

import logging
import shutil
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.utils import counters

from renaissance.compiler import build
from renaissance.compiler.errors import CompileError
from renaissance.compiler.freeze import resolve
from renaissance.compiler.lowering import compilation
from renaissance.compiler.lowering.compilation import compile_layers, explained, repeated_layers
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.model.readings import Reading
from renaissance.grammar.schema.model import Freeze
from tests.compiler.declarations import (
    DEIT,
    ELECTRA,
    TEXT,
    VISION,
    one_tower,
    spec,
    two_towers,
)

CPU = torch.device("cpu")
TOWERS = {"plain": (TEXT, VISION), "from libraries": (ELECTRA, DEIT)}

# Dynamo asks for gradients of what has none and hides torch's warning about that by itself.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Capture graphs without generating code for them, and count from zero."""
    monkeypatch.setattr(compilation, "BACKEND", "eager")
    monkeypatch.setattr(logging.getLogger("torch.__trace"), "propagate", False)
    limit = torch._dynamo.config.recompile_limit
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()
    torch._dynamo.config.recompile_limit = limit


def model_of(kind: str) -> VisionLanguageModel:
    declared = one_tower() if kind == "one tower" else two_towers(*TOWERS[kind])
    return build(spec(declared), job="base")


def run(model: VisionLanguageModel, rows: int, tokens: int, seed: int = 0) -> list[Tensor]:
    """Encode, fuse and read as a training step does, with padding; return what is read."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, 60, (rows, tokens), generator=draw)
    lengths = torch.randint(2, tokens, (rows, 1), generator=draw)
    text = {"input_ids": ids, "attention_mask": torch.arange(tokens) < lengths}
    images = torch.randn(rows, 3, 32, 32, generator=draw)
    features = {"text": model.encode("text", text), "vision": model.encode("vision", images)}
    places = torch.arange(rows) * tokens + 1
    half = rows // 2
    readings = [
        Reading(rows=half, stream="text", positions=places[:half]),
        Reading(rows=rows - half),
    ]
    return list(model.read(features, readings))


SHAPES = ((6, 7), (9, 5), (4, 9), (12, 11), (7, 5))
SHORTER = ((7, 4), (9, 4), (5, 4))


@pytest.mark.parametrize("kind", [*TOWERS, "one tower"])
def test_one_graph_for_each_kind_of_layer_whatever_the_shape(kind: str) -> None:
    model = model_of(kind).eval()
    plain = deepcopy(model)
    names = list(model.state_dict())
    layers = compile_layers(model, CPU)
    assert list(model.state_dict()) == names == [name for name, _ in plain.state_dict().items()]
    assert len(layers) == (2 if kind == "one tower" else 6)
    counters.clear()
    graphs = []
    for number, (rows, tokens) in enumerate(SHAPES + SHORTER):
        ours, theirs = (run(m, rows, tokens, number) for m in (model, plain))
        for mine, reference in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, reference, rtol=1e-5, atol=1e-5)
        sum(output.square().sum() for output in ours).backward()
        sum(output.square().sum() for output in theirs).backward()
        graphs.append(counters["stats"]["unique_graphs"])
    # At most: first and later layers of text and of vision, a fusion layer, and the last of them
    # for either of two readings.
    usual, shorter = graphs[: len(SHAPES)], graphs[len(SHAPES) :]
    assert 0 < usual[0] <= 7 and len(set(usual)) == 1, graphs
    # Texts so short that they absorb projections add a form of each of the latter.
    assert shorter[0] <= usual[0] + 3 and len(set(shorter)) == 1, graphs
    assert not counters["graph_break"]
    gradients = dict(plain.named_parameters())
    for name, parameter in model.named_parameters():
        expected = gradients[name].grad
        assert (parameter.grad is None) == (expected is None), name
        if expected is not None:
            torch.testing.assert_close(parameter.grad, expected, rtol=1e-4, atol=1e-4)


def test_freezing_and_thawing_add_a_form_and_no_more() -> None:
    model = model_of("plain").train()
    selectors = ("text.embeddings", "text.layers[:1]")
    plan = resolve(model, [Freeze(selectors=selectors, until=4)])
    compile_layers(model, CPU)
    counters.clear()
    graphs = []
    draw = torch.Generator().manual_seed(0)
    for step, (rows, tokens) in enumerate(SHAPES * 2):
        plan.apply(model, step, 10)
        ids = torch.randint(1, 60, (rows, tokens), generator=draw)
        model.encode("text", {"input_ids": ids}).tokens.sum().backward()
        layers = [model.get_submodule(f"streams.text.stack.layers.{index}") for index in (0, 1)]
        first, second = (layer.mlp.inner.weight.grad for layer in layers)
        assert (first is None) == (step < 4) and second is not None
        model.zero_grad()
        graphs.append(counters["stats"]["unique_graphs"])
    # Constant layer, first one that learns, then: first one that learns, others.
    assert graphs[:4] == [2] * 4 and graphs[4] <= 4 and set(graphs[4:]) == {graphs[4]}
    assert not counters["graph_break"]
    model.eval()
    with torch.no_grad():  # a validation
        for number, shape in enumerate(SHAPES):
            ids = torch.randint(1, 60, shape, generator=draw)
            model.encode("text", {"input_ids": ids})
            graphs.append(counters["stats"]["unique_graphs"])
            assert graphs[-1] == graphs[4] + 1, number


def test_shared_layers_stand_once() -> None:
    model = model_of("plain")
    layers = model.streams["text"].stack.layers
    layers[1] = layers[0]
    assert [name for name in repeated_layers(model) if name.startswith("text")] == [
        "text.layers[0]"
    ]
    assert list(repeated_layers(model_of("one tower"))) == ["joint.layers[0]", "joint.layers[1]"]


def test_a_machine_that_cannot_compile_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("No working C++ compiler found.\nmany\nmore lines")

    monkeypatch.setattr(compilation, "BACKEND", broken)
    with pytest.raises(CompileError, match="`compile = layers`: torch cannot compile") as caught:
        compile_layers(model_of("plain"), CPU)
    said = str(caught.value)
    assert "No working C++ compiler found" in said and "`compile = none`" in said
    assert "\n" not in said
    with pytest.raises(CompileError, match="`compile = none`"), explained():
        torch.compile(torch.neg, backend=broken)(torch.ones(3))
    with pytest.raises(ValueError, match="as it is"), explained():
        raise ValueError("as it is")


@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
def test_generated_code_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "BACKEND", "inductor")
    # A constant tower alone: each kernel costs seconds of the C++ compiler.
    model = model_of("plain").eval()
    model.streams["vision"].requires_grad_(False)
    plain = deepcopy(model)
    compile_layers(model, CPU)
    for rows in (5, 9):
        images = torch.randn(rows, 3, 32, 32)
        ours, theirs = (m.encode("vision", images).tokens for m in (model, plain))
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
        assert not ours.requires_grad
