"""What `check` accepts is built, and what it says of selectors is what the built model says.

Files are generated from the registry: any source in any position, any fusion, objective and task.
"""

from typing import get_args

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from renaissance.compiler import freeze
from renaissance.compiler.addresses import parameter_addresses
from renaissance.compiler.assembly import assemble
from renaissance.compiler.errors import FreezeError
from renaissance.compiler.model import VisionLanguageModel
from renaissance.compiler.selectors import select
from renaissance.grammar.anatomy.parts import Leaf
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.kinds.source import Position, SourceBlock
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.model import Model
from renaissance.grammar.source import Source
from tests.compiler.generated import (
    FUSION,
    NAMES,
    freezes,
    fusion,
    jobs,
    joins,
    kinds_at,
    models,
    selectors,
    source,
)

UNHURRIED = settings(deadline=None, suppress_health_check=list(HealthCheck))


def built(model: Model, job: Pretrain | Finetune | None = None) -> VisionLanguageModel:
    """Build a model on torch's meta device."""
    with torch.device("meta"):
        return assemble(model, job, weights=False)


def checked(text: str) -> Resolution:
    return resolve(Source(name="main.vl", text=text))


def agrees(model: Model, job: Pretrain | Finetune | None) -> VisionLanguageModel:
    """Build a model and compare it with its anatomy, where that is known."""
    module = built(model, job)
    places = parameter_addresses(module)
    assert set(places) == {name for name, _ in module.named_parameters()}
    anatomy = model.anatomy(job.heads() if job else ())
    if all(anatomy.known(root) for root in anatomy.roots):
        assert {Leaf(place.address, place.kinds) for place in places.values()} == anatomy.leaves
    return module


@settings(UNHURRIED, max_examples=25)
@given(st.data())
def test_what_check_accepts_is_built(data: st.DataObject) -> None:
    streams = data.draw(NAMES)
    roots = (*streams, FUSION, "fusion")
    text = data.draw(models(streams, data.draw(freezes(roots))))
    text += data.draw(st.one_of(st.just(""), jobs(roots, "somewhere")))
    spec = checked(text).spec
    assume(spec is not None)
    for model in spec.models.values():
        freeze.resolve(agrees(model, None), model.freeze)
    for name, job in spec.jobs.items():
        model = spec.model_of(name)
        module = agrees(model, job)
        freeze.resolve(module, model.freeze)
        for selector in job.scale_lr:
            assert select(selector, parameter_addresses(module), "m")


@settings(UNHURRIED, max_examples=25)
@given(st.data())
def test_a_selector_means_the_same_to_check_and_to_the_model(data: st.DataObject) -> None:
    streams = data.draw(NAMES)
    text = data.draw(models(streams))
    spec = checked(text).spec
    assume(spec is not None)
    (model,) = spec.models.values()
    anatomy, places = model.anatomy(()), parameter_addresses(built(model))
    drawn = data.draw(st.lists(selectors((*streams, FUSION), steps=True), min_size=20, max_size=20))
    for selector in drawn:
        try:
            names = select(selector, places, "m")
        except FreezeError:
            names = ()
        found = anatomy.select(selector)
        if found.certain:
            meant = {Leaf(places[name].address, places[name].kinds) for name in names}
            assert found.leaves == meant, selector
        elif names:
            assert found.leaves


@settings(UNHURRIED, max_examples=25)
@given(st.data())
def test_check_reports_a_selector_that_means_nothing(data: st.DataObject) -> None:
    streams = data.draw(NAMES)
    selector = data.draw(selectors((*streams, FUSION)))
    text = data.draw(models(streams))
    alone = checked(text).spec
    assume(alone is not None and not selector.startswith("heads"))
    (model,) = alone.models.values()
    found = checked(text.removesuffix("}\n") + f"  freeze {selector}\n}}\n")
    reported = "VL204" in {diagnostic.code for diagnostic in found.diagnostics}
    module = built(model)
    try:
        means = bool(select(selector, parameter_addresses(module), "m"))
    except FreezeError:
        means = False
    assert reported is not means
    if found.spec is None:
        assert reported
    else:
        freeze.resolve(module, found.spec.models["m"].freeze)


@pytest.mark.parametrize(
    ("position", "reads", "word"),
    [
        (position, reads, kind.word())
        for position in get_args(Position)
        for reads in ("text", "vision")
        for kind in kinds_at(position, reads)
    ],
)
@settings(UNHURRIED, max_examples=2)
@given(st.data())
def test_of_every_source_in_every_position(
    position: Position, reads: str, word: str, data: st.DataObject
) -> None:
    drawn = data.draw(source(position, reads, Kinds(SourceBlock)[word]))
    other = "vision" if reads == "text" else "text"
    fusions = [kind for kind in Kinds(FusionBlock).values() if joins(kind, position)]
    assert fusions
    for kind in fusions:
        lines = {
            reads: data.draw(source(kind.accepts, reads)) if position == "encoder" else drawn,
            other: data.draw(source(kind.accepts, other)),
        }
        stack = drawn if position == "encoder" else None
        joint = data.draw(fusion(kind, ("text", "vision"), stack))
        streams = "".join(f"  {kind.accepts} {name} = {said}\n" for name, said in lines.items())
        spec = checked(f"model m {{\n{streams}  fusion x = {joint}\n  pool = mean\n}}\n").spec
        assume(spec is not None)
        agrees(spec.models["m"], None)


@pytest.mark.parametrize("pool", ["cls", "mean", "first"])
def test_streams_may_be_called_like_parts_of_encoders(pool: str) -> None:
    text = f"""model m {{
      backbone pos = plain_text {{ layers = 1, width = 16, heads = 2 }}
      backbone cross = plain_vision {{ layers = 1, width = 16, heads = 2, image_size = 32 }}
      fusion type_embedding = cross_attention(pos, cross) {{ layers = 1, width = 8, heads = 2 }}
      pool = {pool}
    }}
    """
    spec = checked(text).spec
    assert spec is not None
    module = agrees(spec.models["m"], None)
    places = parameter_addresses(module)
    kinds = {name: place.kind for name, place in places.items()}
    assert kinds["streams.pos.stack.norm.weight"] == "norm"
    assert kinds["streams.pos.stack.layers.0.mlp.inner.weight"] == "weight"
    assert kinds["fusion.type_embedding.vectors.pos"] == "token"
    shared = places["fusion.layers.0.cross.attention.query.weight"]
    own = places["fusion.layers.0.streams.cross.attention.attention.query.weight"]
    assert shared.address == "type_embedding.layers[0].cross"
    assert own.address == "type_embedding.layers[0].cross.attention"
