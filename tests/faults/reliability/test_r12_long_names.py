"""A name that no file can have is one that does not exist, in every verb."""

from pathlib import Path

import pytest

from renaissance.cli import main

LONG = "x" * 300
TEXT = """model m {{
  backbone text   = {text}
  backbone vision = {vision}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 8, heads = 2 }}
}}
data d {{ format = {data} }}
pretrain p on m {{
  data = [d]
  objective mlm
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 1
}}
finetune f from p {{
  task = {task}
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 1
}}
evaluate e of f {{ split = dev }}
"""
PLAIN = {
    "text": "plain_text { layers = 1, width = 8, heads = 2, vocabulary = 64 }",
    "vision": "plain_vision { layers = 1, width = 8, heads = 2, image_size = 16, patch = 8 }",
    "data": 'nlvr, root = "nlvr"',
    "task": 'nlvr { root = "nlvr", validation = 10% }',
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("text", f'huggingface("{LONG}")'),
        ("text", f'huggingface("{LONG}") {{ max_tokens = 8 }}'),
        ("text", f'random("{LONG}") {{ max_tokens = 8 }}'),
        ("vision", f'timm("{LONG}")'),
        ("vision", f'timm("{LONG}") {{ image_size = 32 }}'),
        ("vision", f'timm("a/{LONG}/b") {{ image_size = 32 }}'),
        ("vision", 'timm("\\u0000") { image_size = 32 }'),
        ("data", f'image_caption, table = "{LONG}"'),
        ("data", f'image_caption, table = "a.csv", root = "{LONG}"'),
        ("data", f'nlvr, root = "{LONG}"'),
        ("data", f'easy_vqa, root = "{LONG}"'),
        ("task", f'nlvr {{ root = "{LONG}", validation = 10% }}'),
        ("task", f'nlvr {{ root = "nlvr", train = "{LONG}", validation = 10% }}'),
    ],
)
def test_specs(place: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.vl").write_text(TEXT.format(**(PLAIN | {place: value})))
    Path("b.vl").write_text(TEXT.format(**PLAIN))
    for verb in (["check", "a.vl"], ["show", "a.vl"], ["diff", "a.vl", "b.vl"], ["fmt", "a.vl"]):
        assert main(verb) in (0, 1, 2)
        out, err = capsys.readouterr()
        assert "VL901" not in out + err, (verb, err)


@pytest.mark.parametrize("verb", ["check", "show", "fmt", "diff", "plan"])
def test_files_and_imports(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    others = [LONG] if verb == "diff" else []
    assert main([verb, LONG, *others]) == 2
    assert "VL901" not in capsys.readouterr().err
    Path("a.vl").write_text(f'import "{LONG}"\nimport "\\u0000"\n')
    others = ["a.vl"] if verb == "diff" else []
    assert main([verb, "a.vl", *others]) in (0, 1, 2)
    assert "VL901" not in capsys.readouterr().err


def test_a_run_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    for place, value in (
        ("data", f'image_caption, table = "{LONG}"'),
        ("data", f'nlvr, root = "{LONG}"'),
        ("data", f'easy_vqa, root = "{LONG}"'),
    ):
        Path("a.vl").write_text(TEXT.format(**(PLAIN | {place: value})))
        assert main(["train", "a.vl", "--device", "cpu"]) in (1, 2, 3)
        assert "VL901" not in capsys.readouterr().err
