"""What no head reads gets no gradient, and everything else does."""

import pytest
import torch

from renaissance.compiler import build, plan
from renaissance.compiler.assembly import assemble
from renaissance.compiler.demand import unread_parts
from renaissance.compiler.model.readings import Reading
from renaissance.compiler.moving import copied
from renaissance.grammar.kinds.fusion import FusionBlock
from renaissance.grammar.kinds.objective import ObjectiveBlock
from renaissance.grammar.kinds.registry import Kinds
from renaissance.grammar.schema.spec import Spec
from renaissance.render.plan import text_of
from renaissance.runtime.objectives.itc.schema import Itc
from renaissance.runtime.objectives.itm.schema import Itm
from renaissance.runtime.objectives.mim.schema import Mim
from renaissance.runtime.objectives.mlm.schema import Mlm
from tests.compiler.declarations import joined_by, packed_texts, spec, two_towers

OBJECTIVES = {"mlm": (Mlm(),), "itm": (Itm(),), "both": (Mlm(), Itm())}


@pytest.mark.parametrize("job", [*OBJECTIVES, "vqa"])
@pytest.mark.parametrize("pool", ["cls", "first", "mean"])
@pytest.mark.parametrize("inputs", [("text", "vision"), ("vision", "text")])
@pytest.mark.parametrize("word", Kinds(FusionBlock))
def test_exactly_the_unread_parameters_get_no_gradient(
    word: str, inputs: tuple[str, str], pool: str, job: str
) -> None:
    declared = joined_by(word, pool=pool)
    fusion = declared.fusion.model_copy(update={"inputs": inputs})
    declared = declared.model_copy(update={"fusion": fusion})
    jobs = spec(declared).jobs
    training = jobs["vqa"]
    if job in OBJECTIVES:
        training = jobs["base"].model_copy(update={"objectives": OBJECTIVES[job]})
    model = assemble(declared, training, weights=False)
    features = {
        "text": model.encode("text", {"input_ids": torch.randint(2, 60, (3, 12))}),
        "vision": model.encode("vision", torch.randn(3, 3, 32, 32)),
    }
    readings = {
        name: Reading(rows=3, stream="text", positions=torch.arange(5))
        if name == "mlm"
        else Reading(rows=3)
        for name in model.heads
    }
    for name, reading in readings.items():
        (read,) = model.read(features, [reading])
        model.heads[name](read).sum().backward(retain_graph=True)
    without = {name for name, part in model.named_parameters() if part.grad is None}
    assert {name for names in unread_parts(model).values() for name in names} == without


@pytest.mark.parametrize("others", [(), (Mlm(),), (Itm(),), (Mim(),)])
def test_layers_that_encode_a_stream_by_itself_are_read(
    others: tuple[ObjectiveBlock, ...],
) -> None:
    """Also where no head reads the text behind the fusion; a moving copy has what vectors need."""
    declared = joined_by("asymmetric", pool="first", unimodal=True)
    base = spec(declared).jobs["base"].model_copy(update={"objectives": (*others, Itc())})
    model = assemble(declared, base, weights=False)
    features = {
        "text": model.encode("text", packed_texts(3, 12)),
        "vision": model.encode("vision", torch.randn(3, 3, 32, 32)),
    }
    vectors = model.vectors(features).items()
    total = sum(model.heads["itc"].vectors(*one).sin().sum() for one in vectors)
    total = model.heads["itc"](total[None, None], total[None, None]).sum()
    total.backward(retain_graph=True)
    learning = dict(model.named_parameters())
    with_gradient = {name for name, part in learning.items() if part.grad is not None}
    assert with_gradient == copied(model, "itc", learning).keys()
    readings = {
        "mlm": Reading(rows=3, tokens=36, stream="text", positions=torch.arange(5)),
        "mim": Reading(rows=3, tokens=36, stream="vision", positions=torch.arange(5)),
        "itm": Reading(rows=3, tokens=36),
    }
    for one in others:
        [read] = model.read(features, [readings[one.head_name()]])
        model.heads[one.head_name()](read).sum().backward(retain_graph=True)
    without = {name for name, part in learning.items() if part.grad is None}
    without -= {"heads.mim.mask_token"}  # stands in the place of patches, which are whole here
    unread = unread_parts(model)
    assert {name for names in unread.values() for name in names} == without
    crosses = {"cross.layers[0].cross", "cross.layers[1].cross"}
    assert (crosses <= unread.keys()) == (others in ((), (Mim(),)))


def test_unread_parts_are_held_and_named() -> None:
    declared = two_towers(pool="first")
    jobs = spec(declared).jobs
    base = jobs["base"].model_copy(update={"objectives": (Mlm(),)})
    whole = Spec(models={"two": declared}, jobs={**jobs, "base": base})
    pretraining, finetuning = plan(whole).jobs
    assert pretraining.unread == ("cross.layers[1].vision", "pool")
    assert finetuning.unread == ("cross.layers[1].vision",)
    assert pretraining.reads == ("mlm reads text at masked positions",)
    assert finetuning.reads == ("answer reads the first token of text",)
    model = build(whole, job="base")
    held = sum(part.numel() for part in model.parameters() if not part.requires_grad)
    counts = pretraining.model.parameters
    assert (counts.unread, counts.frozen) == (held, 0)
    assert "read by no head" in text_of(plan(whole))


def test_a_model_without_heads_hands_everything_on() -> None:
    model = build(spec(two_towers(pool="first")), model="two")
    assert unread_parts(model) == {}
    assert all(part.requires_grad for part in model.parameters())
