"""`show`, `diff` and `specs` on the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from renaissance.cli import main
from renaissance.files import find_spec
from renaissance.grammar.loading import load
from renaissance.grammar.shipped import shipped_specs

TOWERS = """
model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision) { layers = 3 }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "a.vl").write_text(TOWERS)
    (tmp_path / "b.vl").write_text(TOWERS.replace("layers = 3", "layers = 4"))
    (tmp_path / "c.vl").write_text(f"# the same\n{TOWERS}")
    (tmp_path / "bad.vl").write_text("model m { pool = what }")
    return tmp_path


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def test_show_prints_the_canonical_form(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "a.vl"]) == 0
    printed = capsys.readouterr().out
    assert "dropout    = 0.1" in printed
    (folder / "shown.vl").write_text(printed)
    assert load("shown.vl") == load("a.vl")


def test_show_prints_the_hash(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--hash", "a.vl"]) == 0
    assert capsys.readouterr().out.strip() == load("c.vl").hash


def test_show_says_where_values_come_from(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "d.vl").write_text('import "a.vl"\nmodel wide extends tiny { cross.width = 128 }')
    assert main(["show", "--origin", "d.vl"]) == 0
    lines = capsys.readouterr().out.splitlines()
    notes = {line.split("=")[0].strip(): line.partition("#")[2].strip() for line in lines}
    assert notes["width"] == "d.vl:2:41"
    assert notes["layers"] == "a.vl:5:59"
    assert notes["activation"] == "default"


def test_show_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--format", "json", "--origin", "a.vl"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["spec"] == json.loads(load("a.vl").to_json())
    assert document["origins"]["models.tiny.fusion.layers"] == "a.vl:5:59"


def test_show_of_a_spec_with_errors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "bad.vl"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "VL407" in captured.err


def test_diff_prints_changes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "a.vl", "b.vl"]) == 0
    printed = capsys.readouterr().out
    assert "~ model tiny" in printed
    assert "~ cross.layers  3 → 4  weights" in printed
    assert "unchanged keys hidden" in printed
    assert (
        "\nimpact: weights 1\nto an old checkpoint: weights: it does not load\nwith --plan: "
        in printed
    )


def test_diff_of_equal_specs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--exit-code", "a.vl", "c.vl"]) == 0
    assert "no differences" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code"),
    [([], 0), (["--exit-code"], 1), (["--fail-on", "weights"], 1), (["--fail-on", "eval"], 1)],
)
def test_exit_codes_of_diff(folder: Path, options: list[str], code: int) -> None:
    assert main(["diff", *options, "a.vl", "b.vl"]) == code


def test_a_weak_change_does_not_fail_on_a_strong_class(folder: Path) -> None:
    (folder / "d.vl").write_text(TOWERS.replace("layers = 3", "layers = 3, dropout = 0.2"))
    assert main(["diff", "--fail-on", "weights", "a.vl", "d.vl"]) == 0
    assert main(["diff", "--fail-on", "numerics", "a.vl", "d.vl"]) == 1


@pytest.mark.parametrize("other", ["bad.vl", "missing.vl", "git:HEAD:a.vl", "git:x"])
def test_diff_without_an_answer(
    folder: Path, capsys: pytest.CaptureFixture[str], other: str
) -> None:
    assert main(["diff", "--exit-code", "a.vl", other]) == 2
    assert "error" in capsys.readouterr().err


def test_diff_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--format", "json", "a.vl", "b.vl"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["impact"] == "weights"
    (change,) = document["blocks"][0]["changes"]
    assert change == {"address": "cross.layers", "old": "3", "new": "4", "impact": "weights"}


def test_diff_with_a_revision(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "parts").mkdir()
    (folder / "parts" / "main.vl").write_text('import "../a.vl"\nmodel wide extends tiny')
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    (folder / "a.vl").write_text(TOWERS.replace("layers = 3", "layers = 5"))
    # The import of the old side is read from the revision, not from the working folder.
    assert main(["diff", "--exit-code", "git:HEAD:parts/main.vl", "parts/main.vl"]) == 1
    assert "3 → 5" in capsys.readouterr().out
    assert main(["diff", "git:HEAD:none.vl", "a.vl"]) == 2
    assert "there is no file none.vl in revision HEAD" in capsys.readouterr().err
    assert main(["diff", "git:nothing:a.vl", "a.vl"]) == 2
    assert "there is no revision nothing" in capsys.readouterr().err
    assert main(["diff", "git:--help:a.vl", "a.vl"]) == 2


def test_specs_lists_what_ships(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["specs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(shipped_specs())
    assert all(len(line.split()) > 3 for line in lines)


def test_specs_prints_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["specs", "quickstart"]) == 0
    assert capsys.readouterr().out == Path(find_spec("quickstart")).read_text("utf-8")
    assert main(["specs", "quickstrat"]) == 2
    assert "quickstart" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["diff", "a.vl", "b.vl"], ["show", "--origin", "a.vl"], ["specs", "nlvr"]],
    ids=" ".join,
)
def test_light_verbs_import_no_heavy_library(folder: Path, arguments: list[str]) -> None:
    code = f"from renaissance.cli import main\nmain({arguments!r})\nimport sys\n"
    code += "heavy = {'torch', 'numpy', 'transformers', 'timm'} & set(sys.modules)\nprint(heavy)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
