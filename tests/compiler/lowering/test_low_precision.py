"""What never learns costs nothing that only learning needs, and computes the same."""

import itertools
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from renaissance.compiler import build
from renaissance.compiler.freeze import resolve
from renaissance.compiler.lowering.low_precision import constant_weights, hold_in_low_precision
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.plain_vision.schema import PlainVision
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.schema.model import Freeze
from tests.compiler.declarations import DEIT, ELECTRA, TEXT, VISION, VIT, spec, two_towers

DEEP = PlainText(layers=4, width=16, heads=2, max_tokens=8, vocabulary=64, dropout=0.0)
WIDE = PlainVision(layers=3, width=16, heads=2, image_size=16, patch=8, dropout=0.0)
SMALL: dict[str, Any] = {"layers": 2, "width": 32, "heads": 2}
TOWERS = {
    "plain": (TEXT, VISION),
    "convolutions": (TEXT, VISION.model_copy(update={"stem": "convolution"})),
    "transformers": (ELECTRA, VIT),
    "timm": (RandomArchitecture(id="roberta-base", max_tokens=12, **SMALL), DEIT),
    "clip": (
        RandomArchitecture(id="distilbert-base-uncased", max_tokens=12, **SMALL),
        RandomArchitecture(id="openai/clip-vit-base-patch16", image_size=32, **SMALL),
    ),
    "biases of positions": (
        ELECTRA,
        RandomArchitecture(id="beit_base_patch16_224", image_size=32, **SMALL),
    ),
}


def frozen_model(*selectors: str, text: Any = DEEP, vision: Any = WIDE) -> VisionLanguageModel:
    directives = (Freeze(selectors=selectors),) if selectors else ()
    return build(spec(two_towers(text, vision, freeze=directives)), job="base").train()


def inputs_of(model: VisionLanguageModel) -> dict[str, Any]:
    size = model.towers["vision"].facts.image_size
    ids = torch.randint(1, 60, (3, 7))
    return {
        "text": {
            "input_ids": ids,
            "attention_mask": torch.arange(7) < torch.tensor([[7], [4], [2]]),
        },
        "vision": torch.randn(3, 3, size, size),
    }


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("towers", TOWERS)
def test_low_precision_is_what_autocast_gives_bit_for_bit(towers: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    text, vision = TOWERS[towers]
    model = frozen_model("text", "vision", text=text, vision=vision).eval()
    with torch.no_grad():  # random weights are so small that rounding could hide
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    held = deepcopy(model)
    never = [name for name, p in held.named_parameters() if not p.requires_grad]
    originals = hold_in_low_precision(held, never, dtype)
    assert originals.keys() == constant_weights(model, never).keys()
    whole = dict(model.named_parameters())
    assert all(torch.equal(tensor, whole[name]) for name, tensor in originals.items())
    matrices = {
        name for name, p in whole.items() if p.ndim > 1 and "embed" not in name and name in never
    }
    assert len(matrices & originals.keys()) >= 2 * 4  # every matrix of both towers' layers
    now = {name: p.dtype for name, p in held.named_parameters()}
    assert {now[name] for name in originals} == {dtype}
    assert {now[name] for name in now.keys() - originals} == {torch.float32}
    inputs = inputs_of(model)
    with torch.autocast("cpu", dtype):
        outputs = [m(**inputs) for m in (model, held)]
        outputs[1].pooled.sum().backward()
    for name, tokens in outputs[0].streams.items():
        assert torch.equal(tokens, outputs[1].streams[name]), name
    assert torch.equal(outputs[0].pooled, outputs[1].pooled)
    assert all(
        (p.grad is None) == (name in never)
        for name, p in held.named_parameters()
        if not name.startswith("heads")
    )


def test_what_learns_later_or_is_used_otherwise_stays_whole() -> None:
    model = frozen_model()
    directives = [
        Freeze(selectors=("vision",), until=5),
        Freeze(selectors=("text",), excluded=("text.layers[2].mlp",)),
    ]
    never = resolve(model, directives).frozen(9, 10)
    names = constant_weights(model, never)
    assert names and all(name.startswith("streams.text.stack.layers.") for name in names)
    assert not any("norm" in name or ".layers.2.mlp." in name for name in names)
    tied = nn.Module()
    tied.table, tied.scores = nn.Embedding(4, 3), nn.Linear(3, 4, bias=False)
    tied.scores.weight = tied.table.weight
    assert constant_weights(tied, ["table.weight", "scores.weight"]) == {}


def graph(*roots: Tensor) -> Iterator[Any]:
    """Every node of autograd behind some tensors."""
    seen: set[Any] = set()
    waiting = [root.grad_fn for root in roots]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            yield node
            waiting += [following for following, _ in node.next_functions]


@pytest.mark.parametrize("frozen_layers", [0, 1, 3, 4])
def test_a_slice_splits_a_tower_at_the_exact_layer(frozen_layers: int) -> None:
    selectors = ("text.embeddings", f"text.layers[:{frozen_layers}]") if frozen_layers else ()
    model = frozen_model(*selectors)
    outputs: list[Tensor] = []
    layers = model.towers["text"].get_submodule("stack.layers")
    for layer in layers:
        layer.register_forward_hook(lambda module, given, output: outputs.append(output.tokens))
    tokens = model.encode("text", inputs_of(model)["text"]).tokens
    nodes = [len(list(graph(output))) for output in outputs]
    assert nodes[:frozen_layers] == [0] * frozen_layers
    # Each layer that learns adds as many nodes as the one before it; the first of them, having
    # nothing below, adds no more than they do.
    above = nodes[frozen_layers:]
    steps = [after - before for before, after in itertools.pairwise(above)]
    assert len(set(steps)) <= 1 and all(count > 0 for count in above)
    reached = {node.variable for node in graph(tokens) if hasattr(node, "variable")}
    assert reached == {p for p in model.towers["text"].parameters() if p.requires_grad}


class Operations(TorchDispatchMode):
    """Counts operations by name, and the gradients to an input that layer norms are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.norm_inputs = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        self.counts[name] = self.counts.get(name, 0) + 1
        if name == "native_layer_norm_backward":
            self.norm_inputs += args[-1][0]
        return func(*args, **(kwargs or {}))


def backward_operations(model: VisionLanguageModel) -> Operations:
    output = model(**inputs_of(model))
    loss = output.pooled.sum() + sum(stream.sum() for stream in output.streams.values())
    with Operations() as operations:
        loss.backward()
    return operations


def test_no_gradient_is_computed_into_a_constant_part() -> None:
    free, both = (
        backward_operations(frozen_model()),
        backward_operations(frozen_model("text", "vision")),
    )
    # Queries, keys and values of a layer are one product.
    layers, matrices = 4 + 3, 4
    # Two products for each matrix of the towers, and for each projection behind them only the one
    # for its weights: a frozen tower takes no gradient to its output.
    gone = free.counts["mm"] - both.counts["mm"]
    assert gone == 2 * matrices * layers + 2
    assert not any("convolution" in name or "embedding" in name for name in both.counts)

    sliced = backward_operations(frozen_model("text.embeddings", "text.layers[:2]"))
    assert free.counts["mm"] - sliced.counts["mm"] == 2 * matrices * 2
    # The norm in front of the first layer that learns gives gradients to its own weights alone.
    norms = 2 * 2 + 1  # of two layers and of the embeddings
    assert free.norm_inputs - sliced.norm_inputs == norms + 1


def test_a_constant_tower_keeps_no_books() -> None:
    model = frozen_model("vision")
    seen: list[bool] = []
    for tower in model.towers.values():
        tower.register_forward_pre_hook(lambda module, given: seen.append(torch.is_grad_enabled()))
    inputs = inputs_of(model)
    tokens = {name: model.encode(name, inputs[name]).tokens for name in ("vision", "text")}
    assert seen == [False, True]
    assert not tokens["vision"].requires_grad and tokens["text"].requires_grad
    resolve(model, []).apply(model, 0, 1)
    assert model.encode("vision", inputs["vision"]).tokens.requires_grad
    with torch.no_grad():
        assert not model.encode("text", inputs["text"]).tokens.requires_grad
