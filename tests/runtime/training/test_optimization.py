"""Groups by kind and address, and a state that is known by name."""

from collections.abc import Callable

import pytest
import torch

from renaissance.compiler import build
from renaissance.compiler.freeze import resolve
from renaissance.grammar.schema.model import Freeze
from renaissance.grammar.schema.spec import Spec
from renaissance.runtime.errors import CheckpointError, JobError
from renaissance.runtime.optimizers.adamw.schema import AdamW
from renaissance.runtime.training.optimization import Optimization

SETTINGS = AdamW(lr=1e-3, weight_decay=0.1)


def groups(optimization: Optimization, model: torch.nn.Module) -> dict[str, tuple[float, float]]:
    """Decay and factor of every parameter by name."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert optimization.torch is not None
    return {
        names[id(parameter)]: (group["weight_decay"], group["factor"])
        for group in optimization.torch.param_groups
        for parameter in group["params"]
    }


def test_only_matrices_and_word_embeddings_decay(tiny_spec: Callable[..., Spec]) -> None:
    model = build(tiny_spec(), job="base")
    found = groups(Optimization(model, SETTINGS, {}), model)
    assert found.keys() == dict(model.named_parameters()).keys()
    for name, (decay, _) in found.items():
        spared = name.endswith("bias") or any(
            word in name for word in ("norm", "position", "type", "class", "cls")
        )
        assert decay == (0.0 if spared else 0.1), name


def test_the_most_precise_address_gives_the_factor(tiny_spec: Callable[..., Spec]) -> None:
    model = build(tiny_spec(), job="base")
    factors = {"text": 0.5, "text.layers[1]": 3.0, "cross": 5.0, "heads.itm": 7.0}
    found = {n: f for n, (_, f) in groups(Optimization(model, SETTINGS, factors), model).items()}
    assert {f for n, f in found.items() if n.startswith("streams.text.stack.layers.1.")} == {3.0}
    assert {f for n, f in found.items() if n.startswith("streams.text.stack.layers.0.")} == {0.5}
    assert {f for n, f in found.items() if n.startswith("streams.vision.")} == {1.0}
    assert {f for n, f in found.items() if n.startswith("fusion.")} == {5.0}
    assert {f for n, f in found.items() if n.startswith("heads.itm.")} == {7.0}
    assert {f for n, f in found.items() if n.startswith("heads.mlm.")} == {1.0}


def test_the_rate_reaches_each_group_with_its_factor(tiny_spec: Callable[..., Spec]) -> None:
    model = build(tiny_spec(), job="base")
    optimization = Optimization(model, SETTINGS, {"heads": 5.0})
    optimization.set_rate(0.25)
    assert optimization.torch is not None
    assert {(g["factor"], g["lr"]) for g in optimization.torch.param_groups} == {
        (1.0, 0.25),
        (5.0, 1.25),
    }


def test_an_address_without_a_component_is_an_error(tiny_spec: Callable[..., Spec]) -> None:
    with pytest.raises(JobError, match=r"`scale_lr` has `vison`.*components are `text`, `vision`"):
        Optimization(build(tiny_spec(), job="base"), SETTINGS, {"vison": 2.0})


def test_what_thaws_joins_and_the_rest_keeps_its_averages(tiny_spec: Callable[..., Spec]) -> None:
    spec = tiny_spec(freeze=(Freeze(selectors=("vision",), until=3),))
    model = build(spec, job="base")
    plan = resolve(model, spec.models["tiny"].freeze)
    plan.apply(model, 0, 6)
    optimization = Optimization(model, SETTINGS, {})
    assert not any(name.startswith("streams.vision.") for name in groups(optimization, model))
    for parameter in optimization.parameters:
        parameter.grad = torch.ones_like(parameter)
    assert optimization.torch is not None
    optimization.torch.step()
    before = {name: value.clone() for name, value in optimization.state().items()}
    plan.apply(model, 3, 6)
    added = optimization.extend()
    assert added and all(name.startswith("streams.vision.") for name in added)
    after = optimization.state()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert len(optimization.parameters) == len(list(model.parameters()))


def test_a_state_of_other_parameters_is_refused(tiny_spec: Callable[..., Spec]) -> None:
    optimization = Optimization(build(tiny_spec(), job="base"), SETTINGS, {})
    with pytest.raises(CheckpointError, match="`nobody`, which does not learn"):
        optimization.load({"nobody/exp_avg": torch.zeros(1)})
