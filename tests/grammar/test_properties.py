"""What holds for every spec: canonical form, identity, comparison."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from renaissance.grammar.canonical import print_spec
from renaissance.grammar.changes import IMPACTS, Change
from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.declaration import Share
from renaissance.grammar.diff import diff_specs
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.source import Source

SMALL = st.sampled_from([1, 2, 3, 12])
SHARES = st.sampled_from(["0.5%", "10%", "12.345%", "33.3333333%"])
FREEZES = st.sampled_from(
    [
        "freeze vision.layers[:1]",
        "freeze text except norm until 30%",
        "freeze bias",
        "freeze text.embeddings, fusion.norm",
        "freeze vision until 5",
        "freeze vision { cache = true }",
        "freeze vision, text { cache = false }",
        "freeze vision { cache_limit = 2.5 }",
        "freeze text.layers[-1], vision.norm except bias",
    ]
)
ENCODERS = st.sampled_from(
    [
        "random { layers = 2, width = 64, heads = 4, activation = relu }",
        'random("google/electra-small-discriminator") { layers = 3 }',
        'huggingface("facebook/dino-vits16")',
        'timm("deit_small_patch16_224")',
    ]
)
TEXTS = st.sampled_from(
    [
        "plain_text { layers = 2, width = 64, heads = 4, vocabulary = 300 }",
        'huggingface("bert-base-uncased") { max_tokens = 40, revision = "v1" }',
        'random("roberta-base") { heads = 6 }',
        'huggingface("someone/model") { max_tokens = 12 }',
    ]
)
IMAGES = st.sampled_from(
    [
        "plain_vision { layers = 2, width = 64, heads = 2, image_size = 64, stem = convolutional }",
        'timm("deit_tiny_patch16_224") { image_size = 240, resize = squash }',
        'random("facebook/dino-vits16") { dropout = 0.25 }',
        'timm("someone_model") { image_size = 96 }',
    ]
)
TABLES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
POOLS = st.sampled_from(["cls", "mean", "first"])


def quoted(text: str) -> str:
    """Return a string with every character escaped that has to be."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(c, c if c.isprintable() else _code(c)) for c in text) + '"'


def _code(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else character


@st.composite
def two_towers(draw: st.DrawFn) -> str:
    lines = [
        f"backbone text = {draw(TEXTS)}",
        f"backbone vision = {draw(IMAGES)}",
        f"fusion cross = cross_attention(text, vision) {{ layers = {draw(SMALL)} }}",
        f"pool = {draw(POOLS)}",
        *draw(st.lists(FREEZES, max_size=2, unique=True)),
    ]
    return "\n".join(lines)


@st.composite
def one_tower(draw: st.DrawFn) -> str:
    lines = [
        "embed text = wordpiece { max_tokens = 20 }",
        "embed vision = patches { image_size = 64 }",
        f"fusion joint = single_stream(text, vision) {{ encoder = {draw(ENCODERS)} }}",
        f"pool = {draw(POOLS)}",
    ]
    return "\n".join(lines)


@st.composite
def specs(draw: st.DrawFn) -> str:
    """Return a file with a model, data, pretraining with overrides, fine-tuning, evaluation."""
    model = draw(st.one_of(two_towers(), one_tower()))
    length = draw(st.sampled_from(["steps = 5k", "epochs = 3"]))
    override = draw(st.sampled_from(["", "model { freeze heads }", "model { pool = mean }"]))
    later = draw(
        st.sampled_from(["", "model { freeze nothing }", "model { fusion.dropout = 0.25 }"])
        if "cross" in model
        else st.just("")
    )
    return f"""
model m {{
{model}
}}
data d {{ format = image_caption, table = {quoted(draw(TABLES))} }}
pretrain p on m {{
  data = [d]
  {override}
  objective mlm {{ probability = {draw(SHARES)} }}
  objective itm {{ draw = {draw(st.sampled_from(["batch", "data"]))} }}
  optimizer adamw {{ lr = {draw(st.sampled_from(["1e-4", "0.00003", "7.5e-5"]))} }}
  scale_lr {{ fusion = {draw(st.integers(1, 9))}, heads = 0.5 }}
  schedule {draw(st.sampled_from(["linear", "cosine", "polynomial { power = 2 }"]))}
  batch = {draw(st.integers(2, 9999))}
  clip = {draw(st.sampled_from(["none", "1", "0.5"]))}
  {length}
}}
finetune f from p {{
  {later}
  task = easy_vqa {{ validation = {draw(SHARES)} }}
  optimizer adamw {{ lr = 1e-4 }}
  batch = 64
  epochs = 2
}}
evaluate e of f
"""


def meaning(text: str) -> Spec:
    resolution = resolve(Source(name="main.vl", text=text))
    assert resolution.spec is not None, [found.message for found in resolution.diagnostics]
    return resolution.spec


@settings(deadline=None, max_examples=40)
@given(specs())
def test_the_canonical_form_says_the_same(text: str) -> None:
    spec = meaning(text)
    printed = print_spec(spec)
    again = meaning(printed)
    assert again == spec
    assert again.hash == spec.hash
    assert print_spec(again) == printed


@settings(deadline=None, max_examples=20)
@given(specs())
def test_json_says_the_same(text: str) -> None:
    spec = meaning(text)
    assert Spec.model_validate_json(spec.to_json()) == spec


@settings(deadline=None, max_examples=20)
@given(specs())
def test_nothing_differs_from_itself(text: str) -> None:
    assert diff_specs(meaning(text), meaning(print_spec(meaning(text)))).blocks == ()


@settings(deadline=None, max_examples=40)
@given(specs(), specs())
def test_a_comparison_mirrors(first: str, second: str) -> None:
    old, new = meaning(first), meaning(second)
    there, back = diff_specs(old, new), diff_specs(new, old)
    assert there.impact == back.impact
    assert there.counts == back.counts
    for block, mirrored in zip(there.blocks, back.blocks, strict=True):
        assert (block.word, block.name, block.impact) == (
            mirrored.word,
            mirrored.name,
            mirrored.impact,
        )
        assert set(block.changes) == {_mirror(change) for change in mirrored.changes}


@settings(deadline=None, max_examples=40)
@given(specs(), specs())
def test_the_hash_differs_exactly_where_a_change_means_something(first: str, second: str) -> None:
    old, new = meaning(first), meaning(second)
    diff = diff_specs(old, new)
    meant = diff.impact is not None and IMPACTS.index(diff.impact) < IMPACTS.index("cosmetic")
    assert meant == (old.hash != new.hash)


@settings(deadline=None, max_examples=20)
@given(specs())
def test_cosmetic_edits_keep_the_hash(text: str) -> None:
    edited = "# a comment\n" + text.replace("\n", "   # more\n\n")
    edited = re.sub(r"batch = \d+", r"batch = size\nworkers = 3\n", edited, count=1)
    size = re.search(r"batch = (\d+)", text)
    assert size is not None
    edited = f"let size = {size[1]}\n{edited}"
    assert "workers" in edited
    assert meaning(edited).hash == meaning(text).hash


@given(st.decimals(min_value=0, max_value=100, places=7).map(lambda d: f"{d:f}"))
def test_shares_read_back(percent: str) -> None:
    share = Share.of_percent(float(percent))
    assert Share.of_percent(float(share.spelling.removesuffix("%"))) == share
    # Nothing shorter would: `90.1%`, not `90.09999999999999%`.
    assert (
        len(share.spelling)
        <= len(percent.rstrip("0").rstrip(".") if "." in percent else percent) + 1
    )


def _mirror(change: Change) -> Change:
    return Change(address=change.address, old=change.new, new=change.old, impact=change.impact)
