"""`plan` and `compile` on the command line."""

import json
from pathlib import Path

import pytest

from renaissance.cli import main


def test_plan_prints_a_tree(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "quickstart"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("model ")
    assert "└── pool" in printed
    assert "vqa" in printed


def test_plan_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "quickstart", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    model = document["models"][0]
    assert sum(part["parameters"] for part in model["components"]) == model["parameters"]["total"]


def test_compile_writes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "quickstart", "-o", str(tmp_path / "job")]) == 0
    assert "launch.sh" in capsys.readouterr().out
    assert (tmp_path / "job" / "lock.json").is_file()


def test_compile_into_something_else_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "diary.txt").write_text("private")
    assert main(["compile", "quickstart", "-o", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "is not empty" in captured.err


def test_a_part_can_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "quickstart", "--model", "nothing"]) == 1
    assert "there is no model `nothing`" in capsys.readouterr().err
    job = ["--job", "base", "--format", "json"]
    assert main(["compile", "quickstart", "-o", str(tmp_path / "job"), *job]) == 0
    assert json.loads((tmp_path / "job" / "lock.json").read_text())["jobs"] == ["base"]


def test_plan_says_what_a_cache_costs_and_saves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "freezing_base"]) == 0
    [line] = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("cache vision")
    ]
    assert "605kB an image (605MB per 1,000) instead of 35.1GFLOP" in line
    assert "on a CPU (kept where all images fit)" in line
    assert main(["plan", "freezing_base", "--format", "json"]) == 0
    [model] = json.loads(capsys.readouterr().out)["models"]
    assert (model["caching"]["tokens"], model["caching"]["mode"]) == (197, "auto")
