"""From files to a spec: imports, inheritance, overrides, named values, derived values."""

from typing import Any

import pytest

from renaissance.compiler.fusions.cross_attention.schema import CrossAttention
from renaissance.compiler.fusions.single_stream.schema import SingleStream
from renaissance.compiler.sources.huggingface.schema import HuggingFace
from renaissance.compiler.sources.plain.schema import PlainStack
from renaissance.compiler.sources.plain_text.schema import PlainText
from renaissance.compiler.sources.random.schema import RandomArchitecture
from renaissance.compiler.sources.wordpiece.schema import Wordpiece
from renaissance.grammar.canonical import print_spec
from renaissance.grammar.catalogue import find
from renaissance.grammar.check import check
from renaissance.grammar.composition.resolution import Resolution, resolve
from renaissance.grammar.declaration import Share
from renaissance.grammar.diagnostics import SpecError
from renaissance.grammar.kinds.source import modality
from renaissance.grammar.loading import load
from renaissance.grammar.schema.jobs import Finetune, Pretrain
from renaissance.grammar.schema.spec import Spec
from renaissance.grammar.shipped import shipped_path, shipped_specs
from renaissance.grammar.source import Source

TINY = """
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4, image_size = 64 }
  fusion cross = cross_attention(text, vision) { layers = 3 }
  freeze vision.layers[0], text.embeddings
}
"""
JOBS = """
data shapes { format = easy_vqa }
pretrain base on tiny {
  data = [shapes]
  objective mlm
  optimizer adamw { lr = 1e-3 }
  batch = 64
  steps = 1k
}
finetune vqa from base {
  task = easy_vqa
  optimizer adamw { lr = 1e-4 }
  batch = 32
  epochs = 2
}
evaluate vqa_test of vqa
"""


def spec_of(resolution: Resolution) -> Spec:
    assert resolution.spec is not None, [found.message for found in resolution.diagnostics]
    return resolution.spec


@pytest.mark.parametrize("name", shipped_specs())
def test_shipped_specs_are_clean(name: str) -> None:
    path = shipped_path(name)
    assert path is not None
    spec = load(path)
    assert spec.jobs
    for model in spec.models.values():
        for stream in model.streams.values():
            sizes = [getattr(stream, key, None) for key in ("max_tokens", "image_size")]
            assert sizes.count(None) == 1 or not hasattr(stream, "max_tokens")


def test_load_raises_with_every_finding(workshop: Any) -> None:
    workshop.write(main="model m { pool = x, what = 3 }")
    with pytest.raises(SpecError) as raised:
        load("main.vl")
    assert {found.code for found in raised.value.diagnostics} >= {"VL401", "VL407", "VL311"}


def test_values_are_typed(workshop: Any) -> None:
    job = spec_of(workshop.resolve(TINY + JOBS)).jobs["base"]
    assert isinstance(job, Pretrain)
    assert job.steps == 1000
    assert job.schedule.warmup == Share(0.1)
    assert isinstance(job.optimizer.lr, float)


def test_imports_and_inlining_mean_the_same(workshop: Any) -> None:
    workshop.write(towers=TINY, more='import "towers.vl"\nmodel other extends tiny { pool = mean }')
    imported = spec_of(workshop.resolve('import "more.vl"\nimport "towers.vl"\n' + JOBS))
    inline = spec_of(workshop.resolve(TINY + JOBS))
    assert imported.hash == inline.hash
    assert set(imported.models) == {"tiny"}


def test_a_library_keeps_everything_that_it_imports(workshop: Any) -> None:
    workshop.write(towers=TINY)
    assert set(spec_of(workshop.resolve('import "towers.vl"')).models) == {"tiny"}


def test_a_finding_in_an_import_points_at_the_import(workshop: Any) -> None:
    workshop.write(towers=TINY.replace("heads = 4", "heads = 5", 1))
    (finding,) = workshop.resolve('import "towers.vl"').diagnostics
    assert finding.code == "VL303"
    assert finding.span.source.name == "towers.vl"
    assert [label.span.source.name for label in finding.related if "import" in label.text] == [
        "main.vl"
    ]


def test_paths_of_imports_start_at_the_importing_file(workshop: Any, tmp_path: Any) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.vl").write_text('import "b.vl"')
    (tmp_path / "parts" / "b.vl").write_text(TINY)
    assert set(spec_of(workshop.resolve('import "parts/a.vl"')).models) == {"tiny"}


def test_circles_of_imports_end(workshop: Any) -> None:
    workshop.write(a='import "b.vl"', b='import "c.vl"', c='import "a.vl"\n' + TINY)
    (finding,) = workshop.resolve('import "a.vl"').diagnostics
    assert finding.code == "VL102"
    names = [label.span.source.name for label in finding.related]
    assert {*names} >= {"a.vl", "b.vl"} and len(names) == len({*names})


def test_a_child_overrides_keys_and_keeps_the_rest(workshop: Any) -> None:
    text = (
        TINY
        + """
model wide extends tiny {
  fusion cross { width = 128 }
  text.layers = 5
  pool = mean
}
"""
    )
    models = spec_of(workshop.resolve(text)).models
    wide = models["wide"]
    assert isinstance(wide.fusion, CrossAttention)
    assert (wide.fusion.width, wide.fusion.layers) == (128, 3)
    assert isinstance(wide.streams["text"], PlainText)
    assert (wide.streams["text"].layers, wide.streams["text"].width) == (5, 64)
    assert wide.streams["vision"] == models["tiny"].streams["vision"]
    assert (wide.pool, models["tiny"].pool) == ("mean", "cls")
    assert wide.freeze == models["tiny"].freeze


def test_a_childs_freeze_replaces_its_parents(workshop: Any) -> None:
    text = TINY + "model a extends tiny { freeze bias }\nmodel b extends a { freeze nothing }"
    models = spec_of(workshop.resolve(text)).models
    assert [directive.selectors for directive in models["a"].freeze] == [("bias",)]
    assert models["b"].freeze == ()


def test_a_value_may_be_named_wherever_a_value_stands(workshop: Any) -> None:
    named = """
let tower = plain_text { layers = n, width = w, heads = 4 }
let n = 2
let w = 64
"""
    text = TINY.replace("plain_text { layers = 2, width = 64, heads = 4 }", "tower")
    assert spec_of(workshop.resolve(named + text)) == spec_of(workshop.resolve(TINY))


def test_words_of_a_key_win_over_named_values(workshop: Any) -> None:
    resolution = workshop.resolve(
        "let mean = cls\n" + TINY.replace("freeze", "pool = mean\nfreeze")
    )
    assert spec_of(resolution).models["tiny"].pool == "mean"
    assert [found.code for found in resolution.diagnostics] == ["VL110"]


def test_overrides_of_a_job_pass_on_to_jobs_that_start_from_it(workshop: Any) -> None:
    jobs = JOBS.replace("batch = 64", "batch = 64\nmodel { cross.layers = 1, freeze nothing }")
    jobs = jobs.replace("batch = 32", "batch = 32\nmodel { vision.image_size = 128 }")
    spec = spec_of(workshop.resolve(TINY + jobs))
    assert set(spec.job_models) == {"base", "vqa"}
    base, vqa = spec.model_of("base"), spec.model_of("vqa_test")
    assert base.fusion.layers == vqa.fusion.layers == 1  # type: ignore[union-attr]
    assert base.freeze == vqa.freeze == ()
    assert base.streams["vision"].image_size == 64  # type: ignore[union-attr]
    assert vqa.streams["vision"].image_size == 128  # type: ignore[union-attr]
    finetune = spec.jobs["vqa"]
    assert isinstance(finetune, Finetune)
    assert (finetune.source, finetune.on) == ("base", "tiny")


def test_an_override_that_changes_nothing_makes_no_model(workshop: Any) -> None:
    jobs = JOBS.replace("batch = 64", "batch = 64\nmodel { cross.layers = 3 }")
    plain = spec_of(workshop.resolve(TINY + JOBS))
    assert spec_of(workshop.resolve(TINY + jobs)) == plain


def test_lengths_and_dimensions_come_from_the_catalogue(workshop: Any) -> None:
    text = """
model m {
  backbone text = random("google/electra-small-discriminator") { layers = 3 }
  backbone vision = timm("deit_tiny_patch16_224")
  fusion cross = cross_attention(text, vision)
}
"""
    resolution = workshop.resolve(text)
    streams = spec_of(resolution).models["m"].streams
    known = find("google/electra-small-discriminator")
    assert known is not None
    assert isinstance(streams["text"], RandomArchitecture)
    assert streams["text"].max_tokens == known.max_tokens
    assert streams["text"].layers == 3
    assert (streams["text"].width, streams["text"].heads) == (known.width, known.heads)
    assert streams["vision"].image_size == 224  # type: ignore[union-attr]
    assert [modality(stream) for stream in streams.values()] == ["text", "vision"]
    path = ("models", "m", "streams", "text", "max_tokens")
    assert "electra" in resolution.origins.derived[path]


def test_embeddings_take_the_width_of_the_stack(workshop: Any) -> None:
    text = """
model m {
  embed text = wordpiece
  embed vision = patches { image_size = 64, width = 32 }
  fusion joint = single_stream(text, vision) { encoder = huggingface("facebook/dino-vits16") }
}
model n extends m { joint.encoder = random { layers = 2, width = 48, heads = 4 } }
model o extends n { fusion.encoder.width = 96 }
"""
    models = spec_of(workshop.resolve(text)).models
    widths = {
        name: [stream.width for stream in model.streams.values()]  # type: ignore[union-attr]
        for name, model in models.items()
    }
    assert widths == {"m": [384, 32], "n": [48, 32], "o": [96, 32]}
    assert isinstance(models["m"].fusion, SingleStream)
    assert isinstance(models["m"].fusion.encoder, HuggingFace)
    assert isinstance(models["o"].fusion, SingleStream)
    assert isinstance(models["o"].fusion.encoder, PlainStack)
    text_stream = models["m"].streams["text"]
    assert isinstance(text_stream, Wordpiece)
    assert text_stream.vocabulary == 8192


def test_fusion_is_another_word_for_the_fusions_name(workshop: Any) -> None:
    first = spec_of(workshop.resolve(TINY.replace("text.embeddings", "fusion.norm")))
    second = spec_of(workshop.resolve(TINY.replace("text.embeddings", "cross.norm")))
    assert first == second


def test_a_broken_body_is_not_blamed_for_what_is_missing(workshop: Any) -> None:
    text = TINY.replace("fusion cross =", "fusion cross == ")
    assert workshop.codes(text) == ["VL001"]


def test_a_broken_file_is_not_blamed_for_unknown_names(workshop: Any) -> None:
    codes = workshop.codes("model tiny = = {\n}\n" + JOBS)
    assert codes
    assert all(code.startswith("VL0") for code in codes)


def test_an_inherited_mistake_is_reported_once(workshop: Any) -> None:
    text = TINY.replace("heads = 4", "heads = 5", 1) + "".join(
        f"model m{i} extends tiny\n" for i in range(4)
    )
    assert workshop.codes(text) == ["VL303"]


def test_all_mistakes_are_found_in_one_pass(workshop: Any) -> None:
    text = """
model m {
  backbone text = plain_text { layers = 0, width = 64, heads = 4, lenght = 3 }
  backbone vision = timm("deit_tiny_patch16_224") { image_size = 225 }
  fusion cross = cross_attention(text, image) { dropout = 10% }
  pool = avg
  freeze vison
}
finetune f from g { task = easy_vqa, batch = "x" }
evaluate e of f { split = train, splitt = test }
"""
    assert sorted(workshop.codes(text)) == [
        *("VL104", "VL110", "VL204", "VL301", "VL308", "VL401", "VL401", "VL403"),
        *("VL404", "VL405", "VL406", "VL407", "VL501"),
    ]


def test_long_chains_resolve(workshop: Any) -> None:
    models = "".join(f"model m{i} extends m{i - 1}\n" for i in range(700, 0, -1))
    text = models + TINY.replace("model tiny", "model m0")
    assert spec_of(workshop.resolve(text)).models["m700"].pool == "cls"


@pytest.mark.parametrize(
    "selector", ["text.layers[4]", "text.layers[2:]", "heads.none", "cross.mlpp"]
)
def test_selectors_that_match_nothing(workshop: Any, selector: str) -> None:
    codes = workshop.codes(TINY.replace("text.embeddings", selector))
    assert codes == ["VL204"]


@pytest.mark.parametrize(
    "selector",
    [
        "text.layers[-1]",
        "text.layers[1:].attention",
        "vision.layers.mlp.bias",
        "cross.layers[0].text.attention",
        "cross.layers[:2].cross.norm",
        "fusion.projection.text",
        "heads.itm",
        "pool.vision",
        "embeddings",
        "text.position",
    ],
)
def test_selectors_that_match(workshop: Any, selector: str) -> None:
    assert workshop.codes(TINY.replace("text.embeddings", selector)) == []


def test_mistakes_in_the_same_words_are_each_found() -> None:
    tiny = TINY.replace("vision.layers[0], text.embeddings", "vision.layers[0], vision")
    child = "model child extends tiny { cross.layers = 2 }\n"
    faulty = tiny.replace("heads = 4 }", "heads = 5 }")
    others = (tiny.replace("tiny", "other").replace("layers = 3", "layers = 2"), faulty)
    text = "".join((tiny, child, others[0], others[1].replace("tiny", "faulty")))
    found = resolve(Source(name="same.vl", text=text)).diagnostics
    lines = [
        (finding.code, finding.span.source.position(finding.span.start)[0]) for finding in found
    ]
    assert lines == [("VL206", 6), ("VL206", 14), ("VL303", 18), ("VL206", 21)]


def test_the_same_words_are_the_same_part_said_at_several_places() -> None:
    text = TINY + TINY.replace("tiny", "other").replace("layers = 3", "layers = 1")
    resolution = resolve(Source(name="same.vl", text=text))
    one, other = spec_of(resolution).models.values()
    assert one.streams["text"] is other.streams["text"]
    assert one.fusion.inputs == other.fusion.inputs and one.fusion is not other.fusion
    for path in (("streams", "text"), ("streams", "text", "width"), ("fusion", "inputs", 1)):
        places = (resolution.origins.values["models", name, *path] for name in ("tiny", "other"))
        first, second = (place.source.position(place.start) for place in places)
        assert second == (first[0] + 7, first[1])


def test_check_never_raises_on_mutilated_files() -> None:
    text = TINY + JOBS
    for start in range(0, len(text), 7):
        for length in (1, 5, 40):
            mutilated = text[:start] + text[start + length :]
            check(Source(name="main.vl", text=mutilated))


@pytest.mark.parametrize("said", ["resize = squash", "normalise = clip"])
def test_what_prepares_images_says_nothing_about_texts_or_a_stack(workshop: Any, said: str) -> None:
    name, _, value = said.split()
    two = (
        "model tiny {\n"
        f'  backbone text = random("bert-base-uncased") {{ layers = 1, {said} }}\n'
        "  backbone vision = plain_vision { layers = 1, width = 64, heads = 4 }\n"
        "  fusion cross = cross_attention(text, vision)\n}\n"
    )
    one = (
        "model tiny {\n"
        "  embed text = wordpiece\n  embed vision = patches\n"
        "  fusion joint = single_stream(text, vision) {\n"
        f'    encoder = random("bert-base-uncased") {{ layers = 1, {said} }}\n  }}\n}}\n'
    )
    for text in (two, one):
        resolution = workshop.resolve(text)
        [finding] = [found for found in resolution.diagnostics if found.code == "VL506"]
        assert finding.span.text == name and resolution.spec is not None
        assert value not in print_spec(resolution.spec)
    moved = two.replace(f", {said}", "").replace("plain_vision {", f"plain_vision {{ {said},")
    resolution = workshop.resolve(moved)
    assert resolution.spec is not None and resolution.diagnostics == ()
    stream = resolution.spec.models["tiny"].streams["vision"]
    assert getattr(stream, name) == value
