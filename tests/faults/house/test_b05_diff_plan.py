"""What the compiler refuses is a sentence of `diff --plan`, too."""

import json
from pathlib import Path

import pytest

from renaissance.cli import main

MODEL = """model m {{
  backbone text   = plain_text {{ layers = 1, width = 8, heads = 2, vocabulary = 64 }}
  backbone vision = {vision}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 8, heads = 2 }}
  {freeze}
}}
"""
PLAIN = "plain_vision { layers = 1, width = 8, heads = 2, image_size = 16, patch = 8 }"


def write(name: str, vision: str = PLAIN, freeze: str = "") -> None:
    Path(name).write_text(MODEL.format(vision=vision, freeze=freeze))


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_model_that_cannot_be_built(
    format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.vl")
    write("b.vl", vision='timm("nobody_made_this") { image_size = 32 }')
    assert main(["diff", "a.vl", "b.vl", "--plan", "--format", format]) == 2
    out, err = capsys.readouterr()
    said = json.loads(out)["failures"][0]["message"] if format == "json" else err
    assert "timm has no model `nobody_made_this`" in said
    assert "VL901" not in out + err


def test_heads_that_a_model_without_jobs_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.vl")
    write("b.vl", freeze="freeze heads.answer")
    assert main(["diff", "a.vl", "b.vl", "--plan"]) == 0
    assert "freeze heads.answer" in capsys.readouterr().out


JOB = """data d {{ format = easy_vqa }}
pretrain {name} on m {{
  data = [d]
  objective mlm
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 10
}}
"""


def test_a_renamed_job_is_compared_with_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for file, name in (("a.vl", "p"), ("b.vl", "base")):
        write(file)
        Path(file).write_text(Path(file).read_text() + JOB.format(name=name))
    assert main(["diff", "a.vl", "b.vl", "--plan"]) == 0
    out = capsys.readouterr().out
    assert "pretrain p → base" in out
    assert "parameters" not in out, "nothing else differs"
