"""`show` of what `check` accepts is a spec or a sentence, never a bug."""

from pathlib import Path

import pytest

from renaissance.cli import main

TEXT = """model m {{
  embed text   = wordpiece {{ max_tokens = 8, vocabulary = 64 }}
  embed vision = patches {{ image_size = 16, patch = 8 }}
  fusion joint = single_stream(text, vision) {{ encoder = huggingface("bert-base-uncased") }}
}}
data d {{ format = easy_vqa }}
pretrain p on m {{
  model {{ joint.encoder = {encoder} }}
  data = [d]
  objective mlm
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 10
}}
"""


@pytest.mark.parametrize(
    ("encoder", "code"),
    [
        ('random("bert-base-uncased") { layers = 2, width = 128, heads = 2 }', 0),
        ('huggingface("someone/unknown")', 2),
    ],
)
def test_another_encoder_in_a_job(
    encoder: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.vl").write_text(TEXT.format(encoder=encoder))
    assert main(["check", "a.vl"]) == 0
    capsys.readouterr()
    for arguments in (["show", "a.vl"], ["show", "a.vl", "--origin"]):
        assert main(arguments) == code
        err = capsys.readouterr().err
        assert "VL901" not in err
        assert ("declare that model by itself" in err) == (code == 2)
    assert main(["show", "a.vl", "--hash"]) == 0
    assert main(["show", "a.vl", "--format", "json"]) == 0
