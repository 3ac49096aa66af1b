"""Low-rank adapters: what they compute, where they stand, what is under them, merged weights."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from renaissance.compiler import build
from renaissance.compiler.adapters import adapt, merge
from renaissance.compiler.addresses import parameter_addresses
from renaissance.compiler.errors import CompileError
from renaissance.compiler.model.adapter import AdaptedLinear
from renaissance.compiler.model.inputs import TextInput
from renaissance.compiler.model.vision_language import VisionLanguageModel
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.check import check
from renaissance.grammar.kinds.source import SourceBlock
from renaissance.grammar.schema.model import Adapt, Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source
from tests.tiny import tiny_experiment

ATTENTION = Adapt(selectors=("text.attention",), rank=2, alpha=6)
TOWERS: dict[str, SourceBlock] = {
    "text": RandomArchitecture(
        id="google/electra-small-discriminator", layers=2, width=16, heads=2, max_tokens=12
    ),
    "vision": RandomArchitecture(
        id="deit_tiny_patch16_224", layers=2, width=16, heads=2, image_size=32
    ),
}


def tiny(*adapt: Adapt, freeze: tuple[Freeze, ...] = (), libraries: bool = False) -> Spec:
    spec = tiny_experiment(Path("nowhere"), dropout=0.0, adapt=adapt, freeze=freeze)
    if not libraries:
        return spec
    model = spec.models["tiny"].model_copy(update={"streams": TOWERS})
    return spec.model_copy(update={"models": {"tiny": model}})


def output(model: VisionLanguageModel, size: int = 16) -> Tensor:
    torch.manual_seed(1)
    ids = torch.randint(5, 60, (3, 7))
    texts = TextInput.of({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
    pooled: Tensor = model.eval()(text=texts, vision=torch.randn(3, 3, size, size)).pooled
    return pooled


def moved(model: VisionLanguageModel) -> VisionLanguageModel:
    """Let every adapter add something."""
    torch.manual_seed(2)
    for part in model.modules():
        if isinstance(part, AdaptedLinear):
            nn.init.normal_(part.adapter.up.weight, std=0.3)
    return model


@pytest.mark.parametrize("bias", [True, False])
def test_outputs_and_gradients_are_those_of_the_formula(bias: bool) -> None:
    torch.manual_seed(0)
    part = nn.Linear(5, 7, bias=bias, dtype=torch.float64)
    part.requires_grad_(False)
    adapt(part, rank=3, alpha=12, dropout=0.0)
    assert isinstance(part, AdaptedLinear)
    adapter = part.adapter.double()
    nn.init.normal_(adapter.up.weight)
    tokens = torch.randn(2, 4, 5, dtype=torch.float64, requires_grad=True)
    weights = (adapter.up.weight, adapter.down.weight, tokens)
    weight = part.weight + 12 / 3 * adapter.up.weight @ adapter.down.weight
    wanted = tokens @ weight.T + (part.bias if bias else 0.0)
    found = part(tokens)
    assert torch.allclose(found, wanted, rtol=1e-12)
    upstream = torch.randn_like(found)
    for ours, theirs in zip(
        torch.autograd.grad(found, weights, upstream),
        torch.autograd.grad(wanted, weights, upstream),
        strict=True,
    ):
        assert torch.allclose(ours, theirs, rtol=1e-12)


def test_they_are_those_of_peft() -> None:
    lora = pytest.importorskip("peft.tuners.lora")
    torch.manual_seed(0)
    part, other = nn.Linear(6, 9), nn.Linear(6, 9)
    other.load_state_dict(part.state_dict())
    config = pytest.importorskip("peft").LoraConfig(r=4, lora_alpha=10)
    theirs = lora.Linear(other, "default", config=config, r=4, lora_alpha=10)
    adapt(part, rank=4, alpha=10, dropout=0.0)
    assert isinstance(part, AdaptedLinear)
    # Of one form and drawn from one distribution; zero at the start.
    down, up = theirs.lora_A["default"].weight, theirs.lora_B["default"].weight
    assert down.shape == part.adapter.down.weight.shape
    assert down.abs().max() <= 6**-0.5 and part.adapter.down.weight.abs().max() <= 6**-0.5
    assert not up.any() and not part.adapter.up.weight.any()
    with torch.no_grad():
        down.copy_(part.adapter.down.weight)
        up.copy_(nn.init.normal_(part.adapter.up.weight))
    tokens = torch.randn(3, 6)
    assert torch.allclose(part(tokens), theirs(tokens), atol=1e-6)
    theirs.merge()
    merge(holder := nn.Sequential(part))
    assert torch.allclose(holder[0].weight, theirs.get_base_layer().weight, atol=1e-6)


@pytest.mark.parametrize("libraries", [False, True])
def test_nothing_changes_at_the_start_and_only_adapters_learn(libraries: bool) -> None:
    everything = Adapt(selectors=("text", "vision", "cross"), rank=2)
    plain, adapted = (build(tiny(*one, libraries=libraries)) for one in ((), (everything,)))
    before, after = dict(plain.named_parameters()), dict(adapted.named_parameters())
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    size = 32 if libraries else 16
    assert torch.allclose(output(adapted, size), output(plain, size), atol=1e-6)
    learning = {name for name, part in after.items() if part.requires_grad}
    adapters = after.keys() - before.keys()
    assert {name for name in learning if not name.startswith("pool.")} == adapters
    output(moved(adapted), size).square().sum().backward()
    gradients = {name: after[name].grad for name in adapters}
    assert not [name for name, one in gradients.items() if one is None or not one.any()]


@pytest.mark.parametrize("libraries", [False, True])
def test_merged_weights_compute_the_same(libraries: bool) -> None:
    size = 32 if libraries else 16
    model = moved(build(tiny(ATTENTION, Adapt(selectors=("cross",), rank=3), libraries=libraries)))
    plain = build(tiny(libraries=libraries))
    wanted = output(model, size)
    assert not torch.allclose(wanted, output(plain, size), atol=1e-3)
    merge(model)
    assert model.state_dict().keys() == plain.state_dict().keys()
    assert torch.allclose(output(model, size), wanted, atol=1e-4)
    plain.load_state_dict(model.state_dict())
    assert torch.allclose(output(plain, size), wanted, atol=1e-4)


def test_what_is_frozen_has_adapters_that_learn_and_exceptions_learn_as_they_are() -> None:
    spec = tiny(
        Adapt(selectors=("text.layers[1]",), excluded=("norm",), rank=2),
        freeze=(Freeze(selectors=("text",)), Freeze(selectors=("vision",))),
    )
    model = build(spec)
    places = parameter_addresses(model)
    learning = {places[n].address for n, p in model.named_parameters() if p.requires_grad}
    assert {address for address in learning if address.startswith(("text", "vision"))} == {
        "text.layers[1].attention.adapter",
        "text.layers[1].mlp.adapter",
    }
    alone = build(tiny(Adapt(selectors=("text.layers[1]",), excluded=("norm",), rank=2)))
    learning = {n for n, p in alone.named_parameters() if p.requires_grad and ".layers.1." in n}
    assert any("norm" in name for name in learning)
    assert all("norm" in n or "adapter" in n for n in learning if n.startswith("streams.text"))


@pytest.mark.parametrize("libraries", [False, True])
def test_the_anatomy_is_what_is_built(libraries: bool) -> None:
    both = (ATTENTION, Adapt(selectors=("cross", "vision.layers[1:]"), rank=2))
    model = build(tiny(*both, libraries=libraries))
    built = {
        (place.address, place.kinds)
        for place in parameter_addresses(model).values()
        if place.component == "adapter"
    }
    assert built == {(leaf.address, leaf.kinds) for leaf in model.anatomy.leaves if leaf.adapts}
    assert {address for address, _ in built} >= {
        "text.layers[0].attention.adapter",
        "cross.projection.text.adapter",
    }


def test_maps_whose_weights_are_only_read_are_refused() -> None:
    spec = tiny(Adapt(selectors=("vision",)))
    beit = RandomArchitecture(
        id="beit_base_patch16_224", layers=2, width=32, heads=2, image_size=32
    )
    streams = {**spec.models["tiny"].streams, "vision": beit}
    model = spec.models["tiny"].model_copy(update={"streams": streams})
    with pytest.raises(CompileError, match=r"`vision` would have no effect: .*qkv`"):
        build(spec.model_copy(update={"models": {"tiny": model}}))
    mlp = model.model_copy(update={"adapt": (Adapt(selectors=("vision.mlp",)),)})
    assert build(spec.model_copy(update={"models": {"tiny": mlp}}))


def test_without_a_linear_map_it_is_said_what_there_is() -> None:
    with pytest.raises(CompileError, match=r"there are some in `text.layers\[0\].attention`"):
        build(tiny(Adapt(selectors=("text.embeddings",))))
    with pytest.raises(CompileError, match="has two adapters"):
        build(tiny(ATTENTION, Adapt(selectors=("text",))))


def test_embeddings_without_linear_maps_are_one_finding() -> None:
    text = """
model one {
  embed text   = wordpiece { max_tokens = 16 }
  embed vision = patches { image_size = 32, patch = 8 }
  fusion joint = single_stream(text, vision) {
    encoder = random { layers = 2, width = 16, heads = 2 }
  }
  adapt joint, text { rank = 2 }
}
data pairs { format = easy_vqa }
pretrain base on one {
  data = [pairs]
  objective mlm
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 4
}
"""
    [found] = check(Source(name="main.vl", text=text))
    assert (found.code, found.message) == ("VL211", "`adapt text` finds no linear map")
