"""Values that are set from outside of a file, by address."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.diagnostics import SpecError
from renaissance.grammar.loading import load
from renaissance.grammar.source import Source

NLVR = Path("specs/nlvr.vl")
TEXT = NLVR.read_text(encoding="utf-8")

ADDRESSES = {
    "base.batch": ("  batch           = 256", st.integers(4, 999).map(str)),
    "base.optimizer.lr": ("  optimizer adamw { lr = 5e-4 }", st.sampled_from(["0.1", "3e-3"])),
    "shapes.vision.image_size": ("    image_size = 208", st.sampled_from(["96", "160", "208"])),
    "shapes.cross.layers": (
        "fusion cross = cross_attention(text, vision) { layers = 4",
        st.integers(1, 9).map(str),
    ),
    "base.objective.mlm.probability": (
        "  objective mlm { probability = 15%",
        st.sampled_from(["20%", "40%"]),
    ),
    "sentences.root": (
        'data sentences { format = nlvr, root = "data/nlvr"',
        st.sampled_from(["a", "b/c", "/d e"]),
    ),
    "truth.task.root": ('  task = nlvr { root = "data/nlvr"', st.sampled_from(["a", "7", "b-c"])),
}


def written(text: str, address: str, value: str) -> str:
    """Return a text with a value in the place that an address names."""
    line, _ = ADDRESSES[address]
    assert text.count(line) == 1
    before, equal, said = line.rpartition("= ")
    quote = '"' if '"' in said else ""
    tail = " }" if said.endswith(" }") else ""
    return text.replace(line, f"{before}{equal}{quote}{value}{quote}{tail}")


@settings(deadline=None)
@given(st.data())
def test_setting_is_editing(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(sorted(ADDRESSES)), unique=True))
    given_ = {address: data.draw(ADDRESSES[address][1]) for address in chosen}
    text = TEXT
    for address, value in given_.items():
        text = written(text, address, value)
    edited = resolve(Source(name=str(NLVR), text=text))
    set_ = resolve(Source(name=str(NLVR), text=TEXT), settings=given_)
    assert edited.spec is not None
    assert set_.spec == edited.spec
    assert set_.spec is not None
    assert set_.spec.hash == edited.spec.hash


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=3))
def test_whatever_is_set_ends_in_findings(given_: dict[str, str]) -> None:
    resolve(Source(name=str(NLVR), text=TEXT), settings=given_)


def test_python_gives_values_as_they_are() -> None:
    spec = load(
        NLVR,
        set={
            "base.batch": 8,
            "base.optimizer.betas": [0.9, 0.95],
            "base.clip": None,
            "dev.split": "test",
        },
    )
    assert spec.jobs["base"].model_dump()["batch"] == 8
    assert spec.jobs["base"].model_dump()["clip"] is None
    assert spec.jobs["dev"].model_dump()["split"] == "test"


def test_named_values_are_set_by_their_name() -> None:
    text = TEXT.replace("5e-4", "rate") + "\nlet rate = 5e-4\n"
    found = resolve(Source(name="a.vl", text=text), settings={"rate": "0.25"}).spec
    assert found is not None
    assert found.jobs["base"].model_dump(mode="json")["optimizer"]["lr"] == 0.25


def test_what_extends_a_block_takes_part() -> None:
    text = TEXT + "\npretrain more extends base from base\nmodel wide extends shapes\n"
    found = resolve(
        Source(name="a.vl", text=text), settings={"base.batch": "64", "shapes.vision.width": "96"}
    ).spec
    assert found is not None
    assert found.jobs["more"].model_dump()["batch"] == 64
    assert found.models["wide"].streams["vision"].model_dump()["width"] == 96


@pytest.mark.parametrize(
    ("address", "value", "code", "help"),
    [
        ("bas.batch", "3", "VL104", "`base`"),
        ("base.bach", "3", "VL401", "`batch`"),
        ("base.optimzer.lr", "3", "VL108", "`optimizer`"),
        ("shapes.visoin.width", "3", "VL108", "`vision`"),
        ("sentences.rot", "x", "VL401", "`root`"),
        ("base", "3", "VL104", "`base.…`"),
        ("base.model", "shaps", "VL104", "`shapes`"),
        ("base.batch", "10%", "VL406", ""),
        ("truth.model", "shapes", "VL108", "chain"),
    ],
)
def test_mistakes_name_what_is_there(address: str, value: str, code: str, help: str) -> None:
    with pytest.raises(SpecError) as error:
        load(NLVR, set={address: value})
    [finding] = [found for found in error.value.diagnostics if found.severity == "error"]
    assert finding.code == code
    assert finding.span.source.name == "--set"
    assert help in " ".join(finding.help)


STUDY = Path("tests/grammar/mistakes/studies.vl")


def set_in_study(**given: str) -> Resolution:
    settings = {address.replace("__", "."): value for address, value in given.items()}
    text = STUDY.read_text(encoding="utf-8")
    return resolve(Source(name=STUDY.name, text=text), settings=settings)


def test_a_shell_needs_no_brackets() -> None:
    found = set_in_study(depth__seeds="3,4", base__optimizer__betas="0.8,0.9")
    assert found.studies["depth"].seeds == (3, 4)
    assert found.spec == set_in_study(base__optimizer__betas="[0.8, 0.9]").spec
    assert set_in_study(depth__seeds="5").studies["depth"].seeds == (5,)


def test_freezing_is_set_by_its_address() -> None:
    spec = set_in_study(base__model__freeze="text, vision.layers[:1] except norm").spec
    assert spec is not None
    frozen = [(one.selectors, one.excluded) for one in spec.job_models["base"].freeze]
    assert frozen == [(("text", "vision.layers[:1]"), ("norm",))]
    layers = set_in_study(base__model__freeze="[text, vision.layers[:1]]").spec
    assert layers is not None
    assert layers.job_models["base"].freeze[0].selectors == frozen[0][0]
    [alone] = set_in_study(base__model__freeze="vision.layers[:1]").spec.job_models["base"].freeze
    assert alone.selectors == frozen[0][0][1:]
    nothing = set_in_study(base__model__freeze="[]").spec
    assert nothing is not None
    assert nothing.job_models["base"].freeze == ()
    nothing = set_in_study(base__model__freeze="none").spec
    assert nothing is not None
    assert nothing.job_models["base"].freeze == ()


@pytest.mark.parametrize(
    ("address", "value", "help"),
    [
        ("base.model.freeze", "nothing # why", "leave it out: `base.model.freeze=nothing`"),
        ("base.batch", "64 # why", "leave it out: `base.batch=64`"),
        ("base.model.freeze", "[text, vision/layers/0]", "write `vision.layers[0]`"),
        ("base.model.freeze", "['vision','text']", "write `vision,text`"),
        ("base.model.freeze", "vision}", "leave it out"),
        ("base.data", "[a/b]", ""),
        ("base.optimizer.betas", "[0.9/2,1]", ""),
        ("base.optimizer.betas", "0.9;1", ""),
        ("base/batch", "64", "write `base.batch`"),
    ],
)
def test_a_value_that_is_none_is_one_finding(address: str, value: str, help: str) -> None:
    [finding] = set_in_study(**{address: value}).diagnostics
    assert finding.span.source.name == "--set"
    assert next(iter(finding.help), "") == help


def test_a_text_may_hold_the_sign_of_a_comment() -> None:
    for root in ("data #3", '"data #3"'):
        spec = set_in_study(questions__root=root).spec
        assert spec is not None
        assert spec.data["questions"].model_dump()["root"] == "data #3"


@pytest.mark.parametrize(
    ("address", "help"),
    [
        (
            "learning_rate",
            "set the key of a block: `base.optimizer.lr`, `large.optimizer.lr`, "
            "`vqa.optimizer.lr` and 1 more",
        ),
        ("base.lr", "write `base.optimizer.lr`"),
        ("optimizer.lr", "an address starts with a job: `base.optimizer.lr`"),
        ("vqa.freeze", "set that of the model of a job: `vqa.model.freeze=text`"),
        ("base.text.layers", "it belongs to the model: `base.model.text.layers`"),
    ],
)
def test_an_address_that_is_none_is_told(address: str, help: str) -> None:
    [finding] = set_in_study(**{address: "text" if "freeze" in address else "1"}).diagnostics
    assert finding.help == (help,)
