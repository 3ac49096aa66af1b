"""`diff` never contradicts `show --hash`: equal hashes, nothing above cosmetic, and the reverse."""

from hypothesis import given, settings
from hypothesis import strategies as st

from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.diff import BlockDiff, SpecDiff, diff_specs
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source

FREEZES = (
    "",
    "freeze vision",
    "freeze vision\n  freeze vision.layers[:1]",
    "freeze vision.layers[:1]\n  freeze vision",
    "freeze vision, vision.norm",
    "freeze vision until 30%\n  freeze vision",
    "freeze vision { cache = false }",
    "freeze vision until 30%",
    "freeze norm",
    "freeze norm, text.norm",
)


def model(name: str, freeze: str = "", width: int = 8, pool: str = "cls") -> str:
    return f"""model {name} {{
  backbone text   = plain_text {{ layers = 2, width = {width}, heads = 2, vocabulary = 64 }}
  backbone vision = plain_vision {{ layers = 2, width = 8, heads = 2, image_size = 16, patch = 8 }}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 8, heads = 2 }}
  pool = {pool}
  {freeze}
}}
"""


def training(seed: int = 0) -> str:
    return f"optimizer adamw {{ lr = 1e-3 }}\n  batch = 8\n  steps = 10\n  seed = {seed}\n"


def jobs(
    on: str = "m",
    *,
    first: str = "p",
    then: str = "f",
    last: str = "e",
    data: str = "a",
    override: str = "",
    seed: int = 0,
) -> str:
    return f"""
pretrain {first} on {on} {{
  data = [{data}]
  objective mlm
  {training()}}}
finetune {then} from {first} {{
  {override}
  task = easy_vqa
  {training(seed)}}}
evaluate {last} of {then}
"""


DATA = {
    "one": 'data a {{ format = image_caption, table = "a.csv" }}\n',
    "two": 'data a { format = image_caption, table = "a.csv" }\n'
    'data b { format = image_caption, table = "b.csv" }\n',
    "swapped": 'data a { format = image_caption, table = "b.csv" }\n'
    'data b { format = image_caption, table = "a.csv" }\n',
}
DATA["one"] = DATA["one"].replace("{{", "{").replace("}}", "}")


@st.composite
def specs(draw: st.DrawFn) -> str:
    freeze = draw(st.sampled_from(FREEZES))
    width, pool = draw(st.sampled_from([8, 16])), draw(st.sampled_from(["cls", "mean", "first"]))
    parts = []
    shape = draw(st.sampled_from(["alone", "child", "beside"]))
    name = draw(st.sampled_from(["m", "other"]))
    if shape == "child":
        parts += [model("parent", "", width, pool), f"model {name} extends parent {{ {freeze} }}\n"]
    else:
        parts.append(model(name, freeze, width, pool))
    if shape == "beside":
        parts.append(model("unused", draw(st.sampled_from(FREEZES)), 16))
    held = draw(st.sampled_from(sorted(DATA)))
    parts.append(DATA[held])
    listed = "a" if held == "one" else draw(st.sampled_from(["a, b", "b, a", "a"]))
    if draw(st.integers(0, 9)) == 0:
        return "".join(parts)
    parts.append(
        jobs(
            name,
            first=draw(st.sampled_from(["p", "base"])),
            then=draw(st.sampled_from(["f", "vqa"])),
            data=listed,
            override=draw(
                st.sampled_from(["", "model { freeze nothing }", "model { freeze vision }"])
            ),
            seed=draw(st.sampled_from([0, 0, 1])),
        )
    )
    return "".join(parts)


def meaning(text: str) -> Spec:
    resolution = resolve(Source(name="main.vl", text=text))
    assert resolution.spec is not None, [found.message for found in resolution.diagnostics]
    return resolution.spec


def compared(old: str, new: str) -> SpecDiff:
    return diff_specs(meaning(old), meaning(new))


@settings(deadline=None, max_examples=100)
@given(specs(), specs())
def test_diff_and_hash_say_the_same(old: str, new: str) -> None:
    before, after = meaning(old), meaning(new)
    diff = diff_specs(before, after)
    assert (diff.impact in (None, "cosmetic")) == (before.hash == after.hash)
    assert diff_specs(after, before).impact == diff.impact


BASE = model("m", "freeze vision") + DATA["one"] + jobs()


def test_an_unused_model_is_cosmetic() -> None:
    diff = compared(BASE, model("z") + BASE)
    assert [(b.status, b.name, b.impact) for b in diff.blocks] == [("added", "z", "cosmetic")]
    assert not diff.reaches("eval")
    assert compared(model("z") + BASE, model("z", width=16) + BASE).impact == "cosmetic"


def test_freezing_that_moves_into_a_child_is_cosmetic() -> None:
    new = model("m") + "model child extends m { freeze vision }\n" + DATA["one"] + jobs("child")
    diff = compared(BASE, new)
    assert diff.impact == "cosmetic"
    assert meaning(BASE).hash == meaning(new).hash


def test_freezing_twice_changes_nothing() -> None:
    again = BASE.replace("freeze vision", "freeze vision\n  freeze vision.layers[:1]")
    assert meaning(again).hash == meaning(BASE).hash
    assert compared(BASE, again).impact == "cosmetic"
    less = BASE.replace("freeze vision", "freeze vision.layers[:1]")
    assert compared(BASE, less).impact == "training"


def test_pooling_keeps_its_weights_except_for_first() -> None:
    for pool, impact in (("mean", "numerics"), ("first", "weights")):
        assert compared(BASE, BASE.replace("pool = cls", f"pool = {pool}")).impact == impact


def renamed(diff: SpecDiff) -> list[tuple[str | None, str]]:
    def names(block: BlockDiff) -> tuple[str | None, str]:
        return block.old_name, block.name

    return [names(block) for block in diff.blocks if block.status == "renamed"]


def test_a_renamed_job_is_shown_as_renamed() -> None:
    new = model("m", "freeze vision") + DATA["one"] + jobs(first="q")
    diff = compared(BASE, new)
    assert renamed(diff) == [("p", "q")]
    assert len(diff.blocks) == 1
    every = model("m", "freeze vision") + DATA["one"] + jobs(first="q", then="g", last="h")
    diff = compared(BASE, every)
    assert renamed(diff) == [("p", "q"), ("f", "g"), ("e", "h")]
    assert len(diff.blocks) == 3
    assert diff.impact == "training"


def test_data_that_changes_names_is_the_same_data() -> None:
    old = model("m") + DATA["two"] + jobs(data="a, b")
    new = model("m") + DATA["swapped"] + jobs(data="b, a")
    assert meaning(old).hash == meaning(new).hash
    assert compared(old, new).impact == "cosmetic"
    assert compared(old, model("m") + DATA["two"] + jobs(data="b, a")).impact == "training"


def test_a_file_without_jobs_is_what_its_models_are() -> None:
    assert meaning(model("m")).hash == meaning(model("z")).hash
    assert compared(model("m"), model("z")).impact == "cosmetic"
    assert compared(model("m"), model("m", width=16)).impact == "weights"
    assert compared(model("m"), model("m") + model("z")).impact == "weights"


def test_the_model_of_a_job_says_what_its_change_does() -> None:
    both = model("m") + model("z", pool="mean") + DATA["one"]
    diff = compared(both + jobs("m"), both + jobs("z"))
    [change] = diff.blocks[0].changes
    assert (change.address, change.old, change.new, change.impact) == ("on", "m", "z", "numerics")
