"""Mistakes of a first use: one finding each, which says what to write."""

import pytest

from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.source import Source

TEXT = """model m {{
  backbone text   = plain_text {{ layers = 2, width = 8, heads = 2, vocabulary = 64 }}
  backbone vision = plain_vision {{ layers = 2, width = 8, heads = 2, image_size = 16, patch = 8 }}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 8, heads = 2 }}
  {freeze}
}}
data q {{ format = easy_vqa }}
pretrain p on {on} {{
  data = {data}
  objective mlm {{ {mlm} }}
  optimizer adamw {{ lr = 1e-3 }}
  batch = {batch}
  clip = {clip}
  steps = 10
}}
"""
JOBS = (
    "finetune f from p {\n  task = easy_vqa\n  optimizer adamw { lr = 1e-3 }\n"
    "  batch = 8\n  steps = 10\n}\nevaluate e of f\n"
)
FINE = {"freeze": "", "on": "m", "data": "[q]", "mlm": "", "batch": "8", "clip": "1"}


def found(**said: str) -> list[tuple[str, str]]:
    text = TEXT.format(**(FINE | said))
    diagnostics = resolve(Source(name="main.vl", text=text)).diagnostics
    return [(finding.code, " ".join(finding.help)) for finding in diagnostics]


@pytest.mark.parametrize(
    ("key", "value", "help"),
    [
        ("data", "q", "write `[q]`"),
        ("mlm", "whole_word = True", "write `true`"),
        ("mlm", "probability = 15", "write `15%`"),
        ("mlm", "probability = 0.15", "write `15%`"),
        ("clip", "None", "write `none`"),
        ("batch", '"64"', "write `64`"),
        ("freeze", "freeze = [vision]", "`freeze vision`"),
        ("freeze", 'freeze "vision"', "write `freeze vision`"),
        ("freeze", "freeze vision and text", "`freeze vision, text`"),
        ("freeze", "freeze text.layer[0]", "`text.layers`"),
        ("freeze", "freeze fusin.layers", "`fusion`"),
        ("data", "[p]", ""),
        ("on", "mm", "`m`"),
    ],
)
def test_one_finding_with_the_rewrite(key: str, value: str, help: str) -> None:
    [(_, said)] = found(**{key: value})
    assert help in said


def test_a_reference_to_nothing_blames_nobody_else() -> None:
    assert [code for code, _ in found(on="elsewhere")] == ["VL104"]
    assert [code for code, _ in found(data="[elsewhere]")] == ["VL104"]


@pytest.mark.parametrize(
    ("old", "new", "code", "help"),
    [
        ("pretrain p on m", "pretrain p from m", "VL104", "write `on m`"),
        ("pretrain p on m", "pretrain p of m", "VL410", "write `on m`"),
        ("finetune f from p", "finetune f on p", "VL104", "`p` is a job: write `from p`"),
        ("finetune f from p", "finetune f from m", "VL104", "`m` is a model: write `on m`"),
        ("finetune f from p", "finetune f of p", "VL410", "write `from p`"),
        ("evaluate e of f", "evaluate e from f", "VL410", "write `of f`"),
        ("evaluate e of f", "evaluate e on f", "VL410", "write `of f`"),
        ("width = 8", "widht = 8", "VL401", "`width`"),
        ("batch = 8", "bacth = 8", "VL401", "`batch`"),
        ("steps = 10", "stpes = 10", "VL401", "`steps`"),
        ("{ lr = 1e-3 }", "{ lrr = 1e-3 }", "VL401", "`lr`"),
        ("batch = 8", "batch = 8, lr = 1e-4", "VL401", "`optimizer adamw { lr = … }`"),
        ("optimizer adamw { lr = 1e-3 }", "lr = 1e-3", "VL401", "`optimizer adamw { lr = … }`"),
        ("batch = 8", "batch = 8, warmup = 5%", "VL401", "`schedule linear { warmup = … }`"),
        ("steps = 10", "steps = 50,000", "VL001", "`50_000`"),
        ("steps = 10", "steps = 1,000,000", "VL001", "`1_000_000`"),
        ("steps = 10", "steps = 50K", "VL008", "write `50k`"),
        ("steps = 10", "steps = 1m", "VL008", "write `1M` or `1min`"),
        ("data q", "data 2q", "VL008", "names start with a letter"),
        ("easy_vqa }", "“easy_vqa” }", "VL002", 'write straight quotes: `"easy_vqa"`'),
        ("easy_vqa }", "„easy-vqa“ }", "VL002", 'write straight quotes: `"easy-vqa"`'),
        ("easy_vqa }", "«easy_vqa» }", "VL002", 'write straight quotes: `"easy_vqa"`'),
        ("objective mlm", "objective mlmm", "VL408", "similar name"),
        ("adamw", "sdg", "VL408", "an optimizer with a similar name"),
    ],
)
def test_what_was_meant(old: str, new: str, code: str, help: str) -> None:
    text = TEXT.format(**FINE) + JOBS
    assert old in text
    diagnostics = resolve(Source(name="main.vl", text=text.replace(old, new, 1))).diagnostics
    [finding] = [found for found in diagnostics if found.severity == "error"]
    assert (finding.code, help in " ".join(finding.help)) == (code, True)


@pytest.mark.parametrize(
    ("old", "new", "code", "help"),
    [
        ("model m {", "model m", "VL001", "write `model m {`"),
        ("pretrain p on m {", "pretrain p on m", "VL001", "write `pretrain p on m {`"),
        ("finetune f from p {", "finetune f from p", "VL001", "write `finetune f from p {`"),
        ("data q {", "data q", "VL001", "write `data q {`"),
        ("plain_text {", "plain_text", "VL001", "write `backbone text   = plain_text {`"),
        ("adamw {", "adamw", "VL001", "write `optimizer adamw {`"),
        ("vocabulary = 64 }", "vocabulary = 64", "VL004", ""),
        ("patch = 8 }", "patch = 8", "VL004", ""),
        ("lr = 1e-3 }", "lr = 1e-3", "VL004", ""),
        ("objective mlm {  }", "objective mlm { weight = 2", "VL004", ""),
        ("{ layers = 2, width = 8", "{\n    layers = 2\n    width = 8", None, ""),
        ("{ layers = 1, width = 8, heads = 2 }", "{\n    layers = 1\n    heads = 2", "VL004", ""),
        ("easy_vqa }", "easy_vqa", "VL004", ""),
        ("steps = 10\n}", "steps = 10\n", "VL004", ""),
    ],
)
def test_one_brace_one_finding(old: str, new: str, code: str | None, help: str) -> None:
    text = TEXT.format(**FINE) + JOBS
    assert old in text
    diagnostics = resolve(Source(name="main.vl", text=text.replace(old, new, 1))).diagnostics
    assert [found.code for found in diagnostics] == [code] * (code is not None)
    assert all(help in " ".join(found.help) for found in diagnostics)


def test_the_edit_puts_the_brace_in() -> None:
    text = TEXT.format(**FINE)
    for head in ("model m", "data q", "pretrain p on m", "  optimizer adamw"):
        without = text.replace(f"{head} {{", head, 1)
        [finding] = resolve(Source(name="main.vl", text=without)).diagnostics
        [edit] = finding.edits
        assert without[: edit.span.start] + edit.text + without[edit.span.end :] == text


def test_the_left_edge_says_nothing_about_inner_blocks() -> None:
    text = "\n".join(line.strip() for line in (TEXT.format(**FINE) + JOBS).splitlines())
    without = text.replace("steps = 10\n}", "steps = 10\n", 1)
    assert [f.code for f in resolve(Source(name="main.vl", text=without)).diagnostics] == ["VL004"]


@pytest.mark.parametrize(
    ("old", "new"), [("text, vision)", "text, vision{)"), ("data = [q]", "data = [q{]")]
)
def test_a_brace_inside_of_brackets(old: str, new: str) -> None:
    text = (TEXT.format(**FINE) + JOBS).replace(old, new, 1)
    assert resolve(Source(name="main.vl", text=text)).spec is None


MODEL = """model m {{
  backbone text   = plain_text {{ layers = 2, width = 8, heads = 2, vocabulary = 64 }}
  backbone vision = plain_vision {{ layers = 2, width = 8, heads = 2, image_size = 16, patch = 8 }}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 8, heads = 2 }}
  {model}
}}
finetune f on m {{
  task = {task}
  {job}
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 10
}}
"""


def found_in(model: str = "", job: str = "", task: str = "easy_vqa") -> list[tuple[str, str, str]]:
    text = MODEL.format(model=model, job=job, task=task)
    diagnostics = resolve(Source(name="main.vl", text=text)).diagnostics
    return [(one.code, one.span.text, " ".join((*one.help, one.label))) for one in diagnostics]


@pytest.mark.parametrize(
    ("task", "rewrite"),
    [
        ('nlvr2("data")', '`nlvr2 { root = "data" }`'),
        ("glue(sst2)", "`glue { task = sst2 }`"),
        ("easy_vqa(7)", "keys stand between braces"),
    ],
)
def test_parentheses_in_place_of_braces_are_one_finding(task: str, rewrite: str) -> None:
    [(code, _, help)] = found_in(task=task)
    assert code == "VL409" and rewrite in help


@pytest.mark.parametrize(("model", "job"), [("lower = off", ""), ("", "clip = off")])
def test_other_words_for_none(model: str, job: str) -> None:
    [(code, where, help)] = found_in(model, job)
    assert (code, where) == ("VL407", "off") and "write `none`" in help


@pytest.mark.parametrize(
    ("model", "job", "where"),
    [
        ("lower = none, attention = sdpa", "", "sdpa"),
        ("lower = none", "compile = layers", "layers"),
        ("lower = none", "recompute = layers", "layers"),
    ],
)
def test_what_a_plain_model_does_not_take_is_said(model: str, job: str, where: str) -> None:
    [(code, place, label)] = found_in(model, job)
    assert (code, place) == ("VL506", where) and "`lower = none`" in label
    assert found_in(model.replace("lower = none", "lower = auto"), job) == []
    assert found_in("lower = none, attention = eager", "compile = none") == []
