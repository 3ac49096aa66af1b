"""`renaissance study FILE --power POINTS`: how many seeds a difference needs."""

import json
from pathlib import Path

import pytest

from renaissance.cli import main
from tests.made_study import make_study

FILE = """\
model tiny {
  backbone text   = plain_text { layers = 1, width = 16, heads = 2 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 2 }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 16, heads = 2 }
}
finetune base on tiny {
  task = nlvr { root = "nlvr" }
  optimizer adamw { lr = 1e-4 }
  batch = 8
  steps = 4
}
evaluate exam of base { split = dev }
study freezing {
  of = [exam]
  factor freeze {
    none { model { freeze nothing } }
    text { model { freeze norm } }
  }
  baseline = none
  seeds = [0, 1, 2, 3]
}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "s.vl"
    path.write_text(FILE)
    return path


def power(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["study", *arguments, "--format", "json"]) == 0
    found: list[str] = json.loads(capsys.readouterr().out)["power"]
    return found


def test_before_anything_ran_it_speaks_of_deviations(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs" / "freezing"
    lines = power(capsys, str(spec), "--power", "1", "--out", str(out))
    assert lines[0].startswith("how much seeds vary is not known")
    assert lines[1] == "4 seeds show 2.1 standard deviations of differences between seeds"
    assert not out.exists()


def test_afterwards_it_speaks_of_points(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = make_study(
        tmp_path / "runs" / "freezing", {"none": (0.80, 0.825, 0.80), "text": (0.80, 0.80, 0.80)}
    )
    [small] = power(capsys, str(spec), "--power", "0.5", "--out", str(out))
    [large] = power(capsys, str(spec), "--power", "50", "--out", str(out))
    assert large.startswith("exam accuracy, freeze=text: 3 seeds for 50.00 points")
    assert int(small.split(": ")[1].split()[0]) > 20


def test_no_points_are_a_mistake(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", str(spec), "--power", "0"]) == 2
    assert "--power takes points above 0" in capsys.readouterr().err
