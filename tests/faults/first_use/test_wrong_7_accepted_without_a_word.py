"""What `check` used to accept without a word."""

from pathlib import Path

import pytest

from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.names import one_slip
from renaissance.grammar.source import Source

TEXT = """model m {{
  backbone text   = {text}
  backbone vision = {vision}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 8, heads = 2 }}
}}
data q {{ format = image_caption, table = "{table}" }}
pretrain p on m {{
  data = {data}
  objective mlm
  optimizer adamw {{ lr = {lr} }}
  batch = 8
  steps = 10
}}
"""
PIXELS = "plain_vision { layers = 2, width = 8, heads = 2, image_size = 16, patch = 8 }"
PLAIN = "plain_text { layers = 2, width = 8, heads = 2, vocabulary = 64 }"
USUAL = {"text": PLAIN, "vision": PIXELS, "table": "q.csv", "data": "[q]", "lr": "1e-3"}


def found(**said: str) -> list[tuple[str, str, tuple[str, ...]]]:
    diagnostics = resolve(Source(name="main.vl", text=TEXT.format(**USUAL | said))).diagnostics
    return [(finding.code, finding.severity, finding.help) for finding in diagnostics]


def test_a_learning_rate_with_a_sign_missing() -> None:
    assert found(lr="4e4") == [("VL519", "warning", ("was `4e-4` meant?",))]
    assert [code for code, *_ in found(lr="1k")] == ["VL519"]
    assert found(lr="0.1") == []


def test_data_that_is_named_twice() -> None:
    [(code, severity, _)] = found(data="[q, q]")
    assert (code, severity) == ("VL518", "error")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("bert-base-uncasd", "bert-base-uncased"),
        ("bert-bsae-uncased", "bert-base-uncased"),
        ("bert-base-cased", None),
        ("someone/model", None),
        ("facebook/dino-vitl16", None),
        ("google/electra-large-discriminator", None),
        ("google/electra-smal-discriminator", "google/electra-small-discriminator"),
    ],
)
def test_a_hub_id_that_is_misspelt(name: str, meant: str | None) -> None:
    findings = found(text=f'huggingface("{name}") {{ max_tokens = 12 }}')
    if meant is None:
        assert findings == []
    else:
        assert findings == [("VL521", "warning", (f"was `{meant}` meant?",))]


def test_a_name_that_timm_does_not_have() -> None:
    [(code, severity, [help])] = found(vision='timm("deit_tiny_patch16_244") { image_size = 224 }')
    assert (code, severity) == ("VL521", "warning")
    assert help.startswith("similar names: `deit_tiny_patch16_224`")
    assert found(vision='timm("hf-hub:someone/model") { image_size = 224 }') == []


def test_a_name_that_is_misspelt_and_whose_lengths_are_not_said() -> None:
    [(code, severity, help)] = found(text='huggingface("bert-bsae-uncased")')
    assert (code, severity, help[0]) == ("VL304", "error", "was `bert-base-uncased` meant?")


def test_one_slip() -> None:
    assert one_slip("abcd", "abce") and one_slip("abd", "abcd") and one_slip("abbcd", "abcd")
    assert one_slip("acbd", "abcd") and not one_slip("abcd", "abcd")
    assert not one_slip("ab4", "ab8") and not one_slip("s16", "b16") and not one_slip("ab", "abcd")


def test_a_table_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert found(table="data/q.csv") == [], "another machine may hold the data"
    assert found(table="q.csv") == []
    Path("data").mkdir()
    Path("data/pairs.csv").write_text("image,caption\n")
    assert found(table="data/pairs.csv") == []
    [(code, severity, help)] = found(table="data/pairs.cvs")
    assert (code, severity) == ("VL520", "warning")
    assert help == ("was `data/pairs.csv` meant?",)
    [(code, *_)] = found(table=f"{tmp_path}/data/other.jsonl")
    assert code == "VL520"
    assert found(table="x" * 300) == []


def test_the_internal_name_of_objectives() -> None:
    for said in ("objectives = [mlm]\n  objective mlm", "objective mlm\n  objectives = 3"):
        text = TEXT.format(**USUAL)
        text = text.replace("objective mlm", said)
        [finding] = resolve(Source(name="main.vl", text=text)).diagnostics
        assert (finding.code, finding.span.text) == ("VL411", "objectives")
        assert finding.help == ("write `objective mlm { … }`",)


OVERRIDES = [
    "fusion.layers = 2, cross.layers = 3",
    "cross.layers = 2, fusion.layers = 2",
    "cross.layers = 2, cross.layers = 2",
    "fusion cross { layers = 2 }\n  cross.layers = 3",
    "fusion.layers = 3\n  fusion cross { layers = 2 }",
    "text.dropout = 0.3\n  backbone text { dropout = 0.2 }",
]


@pytest.mark.parametrize("overrides", OVERRIDES)
@pytest.mark.parametrize("where", ["job", "child"])
def test_a_key_that_is_overridden_twice(overrides: str, where: str) -> None:
    text = TEXT.format(**USUAL)
    if where == "job":
        text = text.replace("objective mlm", f"objective mlm\n  model {{ {overrides} }}")
    else:
        text = text.replace("on m", "on child") + f"model child extends m {{ {overrides} }}\n"
    [finding] = resolve(Source(name="main.vl", text=text)).diagnostics
    assert (finding.code, finding.severity) == ("VL402", "error")
    assert [label.text for label in finding.related] == ["first set here"]


@pytest.mark.parametrize("scales", ["fusion = 2, cross = 3", "cross.layers = 2, fusion.layers = 2"])
def test_a_factor_for_both_names_of_the_fusion(scales: str) -> None:
    text = TEXT.format(**USUAL)
    text = text.replace("objective mlm", f"objective mlm\n  scale_lr {{ {scales} }}")
    [finding] = resolve(Source(name="main.vl", text=text)).diagnostics
    assert finding.code == "VL402"
    assert finding.span.text == scales.split(", ")[1].partition(" ")[0]
