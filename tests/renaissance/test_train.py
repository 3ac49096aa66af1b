"""`train`, `eval` and `run` as a person uses them."""

import json
import re
from pathlib import Path

import pytest

from renaissance.cli import main
from renaissance.execution import folder_of, meant
from renaissance.grammar.canonical import print_spec
from tests.tiny import tiny_experiment, write_easy_vqa


@pytest.fixture
def spec_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    root = write_easy_vqa(tmp_path / "vqa", train=6, test=6)
    path = tmp_path / "tiny.vl"
    short = {"steps": 3, "batch": 8}
    path.write_text(print_spec(tiny_experiment(root, layers=1, base=short, vqa=short)))
    return path


def test_a_run_from_file_to_table(spec_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "tiny.vl", "--device", "cpu"]) == 0
    out, err = capsys.readouterr()
    assert "exam" in out and "accuracy" in out and "runs/tiny/report.html" in out
    assert "base: step 3 of 3, loss" in err and "vqa: the heads" in err
    assert (spec_file.parent / "runs/tiny/report.html").is_file()

    assert main(["eval", "tiny.vl:vqa", "--device", "cpu", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] and [r["job"] for r in document["results"]] == ["exam"]
    assert document["skipped"] == []

    assert main(["train", "tiny.vl:vqa", "--device", "cpu", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["skipped"] == ["vqa"]

    spec_file.write_text(spec_file.read_text().replace("lr           = 0.002", "lr = 0.003"))
    assert main(["train", "tiny.vl"]) == 2
    assert "`jobs.vqa.optimizer.lr` was 0.002, is 0.003" in capsys.readouterr().err


def test_a_job_folder(spec_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "tiny.vl", "-o", "job"]) == 0
    lock = spec_file.parent / "job/lock.json"
    locked = json.loads(lock.read_text())
    locked["packages"]["torch"] = "0.0.1"
    lock.write_text(json.dumps(locked))
    capsys.readouterr()
    assert main(["run", "job"]) == 0
    out, err = capsys.readouterr()
    assert "compiled with torch 0.0.1, running with" in err and "exam" in out
    assert (spec_file.parent / "job/exam/result.json").is_file()
    locked["spec_hash"] = "0"
    lock.write_text(json.dumps(locked))
    assert main(["run", "job"]) == 2
    assert "is not the one that was compiled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "command", "code", "said"),
    [
        (("vqa/train", "vqa/train"), ["train", "tiny.vl:nothing"], 2, "no job `nothing`"),
        (("", ""), ["train", "tiny.vl:vqa"], 2, "job `base`, which has not finished"),
        (("", ""), ["train", "tiny.vl", "--device", "abacus"], 2, "`abacus` is no device"),
        (("", ""), ["eval", "tiny.vl:base"], 2, "no evaluation of job `base`"),
        (("", ""), ["run", "nowhere"], 2, "`nowhere` is no job folder"),
        (('/vqa"', '/gone"'), ["train", "tiny.vl:vqa"], 3, "gone`, the `root` of job `vqa`"),
        (('/vqa"', '/gone"'), ["train", "tiny.vl"], 3, "gone`, the `root` of data `pairs`, does"),
        (("workers          = auto", "workers = "), ["train", "tiny.vl"], 1, "error"),
    ],
)
def test_mistakes_end_in_a_sentence(
    spec_file: Path,
    capsys: pytest.CaptureFixture[str],
    change: tuple[str, str],
    command: list[str],
    code: int,
    said: str,
) -> None:
    spec_file.write_text(spec_file.read_text().replace(*change))
    assert main(command) == code
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err and "VL901" not in err


def test_warnings_are_shown_before_anything_runs(
    spec_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec_file.write_text(spec_file.read_text().replace("  fusion", "  freeze vision\n  fusion", 1))
    assert main(["train", "tiny.vl", "--device", "abacus"]) == 2
    warning, *_, refusal = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning[VL205] tiny.vl:") and "never learns" in warning
    assert "`abacus` is no device" in refusal


def test_file_and_job_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.vl").touch()
    Path("b:c").touch()
    assert meant("a.vl:base") == ("a.vl", "base")
    assert meant("b:c") == ("b:c", None)
    assert meant("a.vl") == ("a.vl", None)
    assert folder_of("specs/a.vl", None) == Path("runs/a")
    assert folder_of("a.vl", "out") == Path("out")


def test_folders_of_runs_and_of_studies_are_told_apart(
    spec_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, study = spec_file.parent / "run", spec_file.parent / "study"
    for folder, name in ((run, "spec.vl"), (study, "study.json")):
        folder.mkdir()
        (folder / name).touch()
    assert main(["eval", "run:exam"]) == 2
    said = "`run` is the folder of a run, and eval takes a spec: `renaissance eval run/spec.vl:exam"
    assert f"{said} -o run`" in capsys.readouterr().err
    assert main(["plan", "run"]) == 2
    assert "error: run is a folder, and a file is wanted" in capsys.readouterr().err
    assert main(["train", "tiny.vl", "-o", "study"]) == 2
    assert "`study` is the folder of a study: give another one" in capsys.readouterr().err


def test_kernels_that_this_machine_lacks(
    spec_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = spec_file.read_text().replace("attention = auto", "attention = triton")
    # The kernels take heads of 16 channels and more.
    asked = re.sub(r"heads( *)= 2", r"heads\1= 1", asked)
    spec_file.write_text(asked)
    assert main(["train", "tiny.vl", "--device", "cpu"]) == 3
    assert (
        "`attention = triton`: fused attention runs on a GPU, not on `cpu`; `attention = auto` "
        "takes what there is" in capsys.readouterr().err
    )
    assert not (spec_file.parent / "runs/tiny/base").exists()
