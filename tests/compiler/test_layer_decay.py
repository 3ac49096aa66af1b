"""Learning rates by depth against the published rule of BEiT."""

import re
from collections.abc import Callable

import pytest

from renaissance.compiler import build, plan
from renaissance.compiler.addresses import parameter_addresses
from renaissance.compiler.layer_decay import decay_factors
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.kinds.registry import words
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.training.optimization import Optimization
from tests.compiler.declarations import joined_by, spec


def beit(name: str, layers: int, decay: float) -> float:
    """Return the factor of a tower's parameter.

    Source: microsoft/unilm, beit/optim_factory.py, `get_num_layer_for_vit` and
    `LayerDecayValueAssigner`, whose values are `decay ** (layers + 1 - i)`.
    """
    values = [decay ** (layers + 1 - i) for i in range(layers + 2)]
    layer = re.search(r"\blayers?\.(\d+)\.", name)
    if layer:
        return values[int(layer[1]) + 1]
    in_front = name.startswith(("fusion.projection.", "fusion.type_embedding."))
    return values[0] if in_front or "embed" in name or "position" in name else values[-1]


def test_factors_of_towers_are_those_of_beit(tiny_spec: Callable[..., Spec]) -> None:
    model = build(tiny_spec(layers=3), job="base")
    decays = {"text": 0.8, "vision": 0.9}
    found = decay_factors(model, parameter_addresses(model), decays)
    names = {n for n, _ in model.named_parameters() if n.startswith("streams.")}
    assert found.keys() == names
    for name in names:
        decay = decays[name.split(".")[1]]
        assert found[name] == pytest.approx(beit(name, 3, decay)), name
    assert {round(f, 6) for n, f in found.items() if n.startswith("streams.text.")} == {
        1.0,
        0.8,
        0.64,
        0.512,
        0.4096,
    }


@pytest.mark.parametrize("word", words("fusion"))
def test_factors_are_those_of_beit_under_every_fusion(word: str) -> None:
    """Of every parameter of towers and fusion; heads learn at the full rate."""
    model = build(spec(joined_by(word)), job="base")
    places = parameter_addresses(model)
    decays = {"text": 0.8, "vision": 0.9, model.fusion_name: 0.5}
    if model.anatomy.layers(model.fusion_name) == 0:
        del decays[model.fusion_name]  # nothing of it stands below anything
    found = decay_factors(model, places, decays)
    for name, _ in model.named_parameters():
        part, stream, *_ = name.split(".")
        root = stream if part == "streams" else model.fusion_name
        if part in ("streams", "fusion") and root in decays:
            assert found.pop(name) == pytest.approx(beit(name, 2, decays[root])), name
    assert not found


def test_a_factor_by_address_is_multiplied(tiny_spec: Callable[..., Spec]) -> None:
    model = build(tiny_spec(), job="base")
    both = Optimization(
        model, AdamW(lr=1e-3), {"text.layers": 5.0, "cross": 2.0, "heads": 3.0}, {"text": 0.5}
    )
    assert both.torch is not None
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = {
        names[id(parameter)]: group["factor"]
        for group in both.torch.param_groups
        for parameter in group["params"]
    }
    of = {
        start: {f for n, f in found.items() if n.startswith(start)}
        for start in (
            "streams.text.stack.layers.0.",
            "streams.text.stack.layers.1.",
            "streams.vision.",
            "fusion.",
            "heads.",
        )
    }
    assert list(of.values()) == [{1.25}, {2.5}, {1.0}, {2.0}, {3.0}]


ONE_TOWER = """
model one {
  embed text = wordpiece { vocabulary = 64, max_tokens = 8 }
  embed vision = patches { image_size = 16, patch = 8 }
  fusion joint = single_stream(text, vision) {
    encoder = plain { layers = 3, width = 32, heads = 2 }
  }
}
finetune vqa on one {
  task = easy_vqa
  optimizer adamw { lr = 1e-3 }
  decay_lr { text = 0.5, joint = 0.5 }
  batch = 8
  steps = 2
}
"""


def test_embeddings_of_one_tower_stand_below_its_layers() -> None:
    resolution = resolve(Source(name="main.vl", text=ONE_TOWER))
    assert resolution.spec is not None, resolution.diagnostics
    model = build(resolution.spec, job="vqa")
    places = parameter_addresses(model)
    found = decay_factors(model, places, {"text": 0.5, "joint": 0.5})
    by_address = {places[name].address.split(".", 2)[1]: f for name, f in found.items()}
    assert by_address["embeddings"] == 0.5**4
    assert [by_address[f"layers[{n}]"] for n in range(3)] == [0.125, 0.25, 0.5]


def test_a_plan_says_what_the_layers_learn_at(tiny_spec: Callable[..., Spec]) -> None:
    keys = {"decay_lr": {"text": 0.5, "cross": 0.9}, "scale_lr": {"text.layers": 2.0, "heads": 3.0}}
    spec = tiny_spec(layers=2, base=keys)
    jobs = {job.name: job for job in plan(spec, device="cpu").jobs}
    text, cross, scaled = jobs["base"].rates
    assert text == (
        "`decay_lr` of `text` is 0.5 a layer: the learning rate times 0.125 in its embeddings, "
        "0.25 in its first layer, 0.5 in its last layer, 1 behind it"
    )
    assert cross == (
        "`decay_lr` of `cross` is 0.9 a layer: the learning rate times 0.81 in front of its "
        "layers, 0.9 in its last layer"
    )
    assert scaled == "factors of `scale_lr` for `text.layers` are multiplied with these"
    assert jobs["vqa"].rates == () and jobs["exam"].rates == ()
