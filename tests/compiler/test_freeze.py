"""Freezing: selectors, addresses, constancy, thawing and hashes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from renaissance.compiler import build
from renaissance.compiler.addresses import parameter_addresses
from renaissance.compiler.backbones.content import tensor_hash
from renaissance.compiler.errors import FreezeError
from renaissance.compiler.freeze import resolve
from renaissance.compiler.selectors import select
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.grammar.declaration import Share
from renaissance.grammar.schema.model import Freeze
from tests.compiler.declarations import DEIT, ELECTRA, VIT, one_tower, spec, two_towers

DEEP = PlainText(layers=5, width=8, heads=2, max_tokens=4, vocabulary=64)
MODEL = build(spec(two_towers(DEEP, DEIT)))
PARAMETERS = parameter_addresses(MODEL)


def _select(text: str) -> set[str]:
    return set(select(text, PARAMETERS, "two"))


def _hashes(model: torch.nn.Module) -> dict[str, str]:
    return {name: tensor_hash(part) for name, part in model.named_parameters()}


def _freeze(*selectors: str, excluded: tuple[str, ...] = (), until=None) -> Freeze:
    return Freeze(selectors=selectors, excluded=excluded, until=until)


@given(
    st.none() | st.integers(-7, 7),
    st.none() | st.integers(-7, 7),
    st.sampled_from([None, 1, 2, -1]),
)
@settings(deadline=None)
def test_slices_count_as_python_does(start: int | None, stop: int | None, step: int | None) -> None:
    inside = ":".join("" if number is None else str(number) for number in (start, stop))
    inside += "" if step is None else f":{step}"
    wanted = {
        name
        for index in range(5)[slice(start, stop, step)]
        for name in PARAMETERS
        if name.startswith(f"streams.text.stack.layers.{index}.")
    }
    if wanted:
        assert _select(f"text.layers[{inside}]") == wanted
    else:
        with pytest.raises(FreezeError):
            _select(f"text.layers[{inside}]")


@given(st.sampled_from(sorted({entry.address for entry in PARAMETERS.values()})), st.data())
@settings(deadline=None)
def test_an_address_means_everything_below_it(address: str, data: st.DataObject) -> None:
    segments = address.split(".")
    prefix = ".".join(segments[: data.draw(st.integers(1, len(segments)))])
    found = _select(prefix)
    kinds = ("norm", "attention", "mlp", "embeddings")
    if prefix.split(".")[-1] not in kinds:
        assert found == {
            name
            for name, entry in PARAMETERS.items()
            if entry.address == prefix or entry.address.startswith(f"{prefix}.")
        }
    assert all(PARAMETERS[name].address.startswith(segments[0]) for name in found)


def test_kinds() -> None:
    assert all("norm" in name for name in _select("norm"))
    assert _select("text.norm") == {name for name in _select("text") if "norm" in name}
    assert all(name.endswith("bias") for name in _select("bias"))
    assert _select("attention") & _select("mlp") == set()
    layers = _select("text.layers[:]")
    assert (_select("text.attention") | _select("text.mlp")) == layers
    assert all(PARAMETERS[name].kind == "position" for name in _select("position"))
    assert len(_select("position")) == 2


@pytest.mark.parametrize(
    ("selector", "sentence"),
    [
        (
            "vison",
            "in model `two`; a component with a similar name exists: `vision`; components are ",
        ),
        ("nobody", "matches nothing in model `two`; components are text, vision, "),
        (
            "text.layers[9]",
            "; `text` has embeddings, layers, norm; layers of `text` are counted from 0 to 4;",
        ),
        (
            "text.layer[0]",
            "; a part with a similar name exists: `text.layers`; `text` has embeddings",
        ),
        ("text.layers[x]", "is no index and no slice"),
        ("text.layers[::0]", "cannot be zero"),
        ("text..norm", "not written as an address"),
    ],
)
def test_what_matches_nothing_says_what_there_is(selector: str, sentence: str) -> None:
    with pytest.raises(FreezeError, match=sentence):
        _select(selector)


@given(st.text(max_size=20))
@settings(deadline=None)
def test_any_text_is_selected_or_refused(text: str) -> None:
    try:
        assert _select(text)
    except FreezeError as error:
        assert str(error)


@pytest.mark.parametrize("selector", ["heads.embeddings", "heads.mim.embeddings", "heads.answer"])
def test_what_a_head_of_another_job_may_have_means_nothing_here(selector: str) -> None:
    assert resolve(MODEL, [_freeze(selector)]).frozen(0, 1) == ()
    with pytest.raises(FreezeError, match="matches nothing"):
        resolve(MODEL, [_freeze("heads.mlm.token")])


def test_an_exception_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(FreezeError, match="freezes nothing"):
        resolve(MODEL, [_freeze("text.norm", excluded=("norm",))])


@pytest.mark.parametrize(
    "id",
    [
        "google/electra-small-discriminator",
        "roberta-base",
        "distilbert-base-uncased",
        "google/vit-base-patch16-224",
        "facebook/deit-tiny-distilled-patch16-224",
        "microsoft/beit-base-patch16-224",
        "microsoft/swin-tiny-patch4-window7-224",
        "openai/clip-vit-base-patch16",
        "deit_tiny_distilled_patch16_224",
        "beit_base_patch16_224",
        "swin_tiny_patch4_window7_224",
    ],
)
def test_addresses_are_uniform(id: str) -> None:
    from renaissance.compiler.assembly import assemble
    from renaissance.grammar.catalogue import find

    known = find(id)
    stream = RandomArchitecture(id=id, max_tokens=known.max_tokens, image_size=known.image_size)
    streams = {"text": stream} if known.modality == "text" else {"vision": stream}
    with torch.device("meta"):
        model = assemble(two_towers(**streams, pool="mean"), None, weights=False)
    root = next(iter(streams))
    entries = {
        name: entry
        for name, entry in parameter_addresses(model).items()
        if entry.address.startswith(f"{root}.")
    }
    wanted = {f"{root}.embeddings"}
    for index in range(known.layers):
        wanted |= {f"{root}.layers[{index}].{part}" for part in ("attention", "mlp")}
    optional = {f"{root}.norm"} | {
        f"{root}.layers[{index}].downsample" for index in range(known.layers)
    }
    found = {entry.address for entry in entries.values()}
    assert wanted <= found <= wanted | optional
    kinds = {name: entry.kind for name, entry in entries.items()}
    for name, kind in kinds.items():
        if "norm" in name.lower():
            assert kind == "norm", name
        if "pos" in name and "proj" not in name:
            assert kind == "position", name
        if "token" in name and "token_type" not in name:
            assert kind == "token", name
    assert {"weight", "bias", "norm"} <= set(kinds.values())


FREEZES = [
    _freeze("text"),
    _freeze("vision"),
    _freeze("text.embeddings", "text.layers[:1]"),
    _freeze("cross"),
    _freeze("text", "vision", "cross", excluded=("norm",)),
    _freeze("mlp", "bias"),
]


@pytest.mark.parametrize("directive", FREEZES, ids=lambda d: " ".join(d.selectors))
def test_frozen_parts_stay_what_they_are(directive: Freeze) -> None:
    model = build(spec(two_towers(ELECTRA, VIT, freeze=(directive,)))).train()
    plan = resolve(model, [directive])
    names = set(plan.frozen(0, 10))
    assert names == {n for n, p in model.named_parameters() if not p.requires_grad}
    assert plan.selections[0].parameters == sum(
        p.numel() for n, p in model.named_parameters() if n in names
    )
    before = _hashes(model)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.1)
    inputs = {
        "text": {"input_ids": torch.randint(1, 60, (2, 5))},
        "vision": torch.randn(2, 3, 32, 32),
    }
    output = model(**inputs)
    sum(s.square().sum() for s in (*output.streams.values(), output.pooled)).backward()
    optimizer.step()
    after = _hashes(model)
    changed = {name for name in before if before[name] != after[name]}
    assert changed and not changed & names
    assert all(p.grad is None for n, p in model.named_parameters() if n in names)


def test_a_frozen_tower_is_constant_in_training() -> None:
    model = build(spec(two_towers(ELECTRA, VIT, freeze=(_freeze("text"),)))).train()
    inputs = {"input_ids": torch.randint(1, 60, (2, 5))}
    one, two = (model.encode("text", inputs).tokens for _ in range(2))
    assert torch.equal(one, two)
    assert not one.requires_grad
    assert model.fusion.training
    free = build(spec(two_towers(ELECTRA, VIT))).train()
    one, two = (free.encode("text", inputs).tokens for _ in range(2))
    assert not torch.equal(one, two)


def test_thawing() -> None:
    model = build(spec(one_tower())).train()
    directives = [
        _freeze("joint", until=Share(0.3)),
        _freeze("text", until=5),
        _freeze("vision"),
    ]
    plan = resolve(model, directives)
    assert plan.next_change(0, 20) == 5
    assert plan.next_change(5, 20) == 6
    assert plan.next_change(6, 20) is None
    frozen = {step: {n.split(".")[0:2][-1] for n in plan.frozen(step, 20)} for step in (4, 5, 6)}
    assert {"text", "vision"} < frozen[4]
    assert "text" not in frozen[5] and "encoder" in frozen[5]
    assert frozen[6] == {"vision"}
    plan.apply(model, 4, 20)
    assert not model.fusion.encoder.training
    plan.apply(model, 6, 20)
    assert model.fusion.encoder.training
    assert not model.streams["vision"].training
    assert all(p.requires_grad for p in model.fusion.parameters())


def test_a_changed_tensor_is_named() -> None:
    model = build(spec(two_towers(DEEP, VIT)))
    names = [name for name, _ in model.named_parameters()]
    before = _hashes(model)
    with torch.no_grad():
        dict(model.named_parameters())[names[3]].view(-1)[0] += 1e-3
    after = _hashes(model)
    assert [name for name in names if before[name] != after[name]] == [names[3]]
