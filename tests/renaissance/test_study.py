"""`study`, and `plan` of a study, as a person uses them."""

import json
import signal
from pathlib import Path
from shutil import copytree, rmtree

import pytest

from renaissance.cli import main
from renaissance.grammar.canonical import print_spec
from tests.tiny import tiny_experiment, write_easy_vqa

STUDIES = """
study freezing {
  of = [vqa]
  factor freeze {
    none   { vqa { model { freeze nothing } } }
    vision { vqa { model { freeze vision } } }
  }
}
study rates {
  of = [vqa]
  budget = time
  factor rate { low { vqa.optimizer.lr = 1e-3 }, high { vqa.optimizer.lr = 1e-2 } }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    root = write_easy_vqa(tmp_path / "vqa", train=6, test=4)
    short = {"steps": 2, "batch": 8}
    text = print_spec(tiny_experiment(root, layers=1, base=short, vqa=short))
    (tmp_path / "a.vl").write_text(text + STUDIES)
    return tmp_path


def test_two_processes_work_and_a_second_call_runs_nothing(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "a.vl:freezing", "--jobs", "2", "--device", "cpu"]) == 0
    out, err = capfd.readouterr()
    assert "2 of 2 cells are done: 5 stages, 1 of them shared" in out
    assert "study freezing in runs/a-freezing: 2 cells, 5 stages\nplanned for what is left: " in err
    assert "[5/5]" in err and "base of freeze=none/seed=0 and 1 more" in err
    assert (folder / "runs/a-freezing/cells/freeze=vision/seed=0/report.html").exists()
    assert main(["study", "a.vl:freezing", "--device", "cpu", "--format", "json"]) == 0
    out, err = capfd.readouterr()
    assert "[" not in err and "nothing is left to run" in err and "planned" not in err
    document = json.loads(out)
    assert [cell["state"] for cell in document["cells"]] == ["done", "done"]
    # Another study has the same pretraining, which lies beside it already.
    assert main(["study", "a.vl:rates", "--set", "rates.budget=steps", "--only", "rate=low"]) == 0
    err = capfd.readouterr().err
    assert "base of" not in err and "goes on: 1 of 3 stages is done, 2 to run" in err
    assert (folder / "runs/a-rates/study.json").exists()
    # Nor does it take the place of the first one.
    assert (
        main(["study", "a.vl:rates", "--set", "rates.budget=steps", "-o", "runs/a-freezing"]) == 2
    )
    said = "`runs/a-freezing` is the folder of study `freezing`, which varies `freeze`"
    assert said in capfd.readouterr().err


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["study", "a.vl"], 2, "studies are `freezing`, `rates`"),
        (["study", "a.vl:gone"], 2, "no study `gone`"),
        (["study", "a.vl:freezing", "--only", "lr=1"], 2, "no factor"),
        (["study", "a.vl:freezing", "--only", "freeze=all"], 2, "is one of"),
        (["study", "a.vl:freezing", "--seeds", "one"], 2, "--seeds takes numbers"),
        (["study", "a.vl:freezing", "--jobs", "0"], 2, "--jobs takes 1 or more"),
        (["study", "a.vl:rates"], 2, "add --gpu NAME or --bench FILE"),
        (["plan", "a.vl:rates"], 2, "add --gpu NAME or --bench FILE"),
        (["study", "a.vl:freezing", "--gpu", "abacus"], 2, "abacus"),
    ],
)
def test_mistakes_end_in_a_sentence(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    code: int,
    said: str,
) -> None:
    assert main(command) == code
    assert said in capsys.readouterr().err


def test_what_train_refuses_stops_a_study_before_anything_is_trained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder / "a.vl").read_text()
    for level, root in (("none", "gone"), ("vision", "vqa")):
        freeze = {"none": "nothing", "vision": "vision"}[level]
        old = f"vqa {{ model {{ freeze {freeze} }} }}"
        text = text.replace(old, f'vqa.task.root = "{root}"')
    (folder / "gone.vl").write_text(text)
    assert main(["study", "gone.vl:freezing"]) == 3
    said = capsys.readouterr().err
    assert "error: `freeze=none`: job `base` could not run: " in said and "gone" in said
    assert said.endswith("; `--only` runs the others\n")
    rmtree(folder / "vqa/test")
    copytree(folder / "vqa/train", folder / "vqa/test")
    questions = folder / "vqa/test/questions.json"
    questions.write_text(questions.read_text().replace("],", "],\n"))  # no copy byte for byte
    leak = "error: `exam` measures what job `vqa` learns from: 20 of the 24 rows of `test`"
    for verb, code in (("study", 3), ("plan", 1)):
        assert main([verb, "a.vl:freezing"]) == code
        said = capsys.readouterr().err
        assert leak in said and said.count("error") == 1
    assert not (folder / "runs").exists()


def test_torchrun_starts_no_study(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["study", "a.vl:freezing"]) == 2
    assert "a study is not started by torchrun" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_before_any_stage_is_told(
    number: int,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(*_: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr("renaissance.commands.study._work", work)
    assert main(["study", "a.vl:freezing"]) == 128 + number
    assert capsys.readouterr().err == (
        "error: study `freezing` was stopped; run the same command again to go on\n"
    )


def test_a_plan_says_what_a_study_takes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "a.vl:freezing", "--gpu", "h100", "--price", "2"]) == 0
    out = capsys.readouterr().out
    assert "2 cells, 5 stages instead of 6; 1 pretraining shared" in out
    assert "vqa.model.freeze vision: added" in out and "at 2.00 an hour" in out
    assert "model tiny" not in out
    assert main(["plan", "a.vl", "--format", "json", "--gpu", "h100"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [study["study"] for study in document["studies"]] == ["freezing", "rates"]
    stages = document["studies"][0]["stages"]
    assert len(stages) == 5 and document["studies"][0]["operations"] == sum(
        stage["operations"] for stage in stages
    )
