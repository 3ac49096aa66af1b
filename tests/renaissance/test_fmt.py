"""`renaissance fmt` and the files that it replaces."""

import io
import json
import sys
from pathlib import Path

import pytest

from renaissance.cli import main
from renaissance.files import find_spec
from renaissance.grammar import writing

MESSY = "model   m{pool=cls} # c\n"
NEAT = "model m { pool = cls }  # c\n"


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.vl"
    path.write_text(MESSY)
    return path


def test_it_rewrites_the_file(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "a.vl"]) == 0
    assert spec.read_text() == NEAT
    assert capsys.readouterr().err == "formatted a.vl\n"
    before = spec.stat().st_mtime_ns
    assert main(["fmt", "a.vl"]) == 0
    assert spec.stat().st_mtime_ns == before
    assert capsys.readouterr().err == ""


def test_check_and_diff_change_nothing(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", "a.vl"]) == 1
    assert capsys.readouterr().out == (
        "would be formatted: a.vl\n1 file checked: 1 would be formatted\n"
    )
    assert main(["fmt", "--diff", "a.vl"]) == 1
    shown = capsys.readouterr().out
    assert "-model   m{pool=cls} # c" in shown
    assert "+model m { pool = cls }  # c" in shown
    assert main(["fmt", "--check", "--format", "json", "a.vl"]) == 1
    assert json.loads(capsys.readouterr().out)["changed"] == ["a.vl"]
    assert spec.read_text() == MESSY
    spec.write_text(NEAT)
    assert main(["fmt", "--check", "a.vl"]) == 0
    assert capsys.readouterr().out == "1 file checked: canonical layout\n"
    assert main(["fmt", "--diff", "a.vl"]) == 0
    assert capsys.readouterr().out == ""


def test_standard_input_goes_to_standard_output(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pipe(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    pipe(MESSY)
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr().out == NEAT
    pipe(NEAT)
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr().out == NEAT
    pipe(MESSY)
    assert main(["fmt", "--check", "--stdin-filename", "b.vl", "-"]) == 1
    assert capsys.readouterr().out.startswith("would be formatted: b.vl\n")
    pipe("a = = 1")
    assert main(["fmt", "--stdin-filename", "b.vl", "-"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "--> b.vl:1:5" in shown.err


def test_a_syntax_error_leaves_the_file(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text("model   m{pool==cls}")
    other = spec.with_name("b.vl")
    other.write_text(MESSY)
    assert main(["fmt", "a.vl", "b.vl"]) == 2
    assert spec.read_text() == "model   m{pool==cls}"
    assert other.read_text() == NEAT
    assert "error[VL" in capsys.readouterr().err


def test_folders_are_searched_and_hidden_ones_are_not(spec: Path) -> None:
    inner = spec.parent / "specs" / "deep" / "b.vl"
    hidden = spec.parent / ".venv" / "c.vl"
    for path in (inner, hidden):
        path.parent.mkdir(parents=True)
        path.write_text(MESSY)
    assert main(["fmt"]) == 0
    assert (spec.read_text(), inner.read_text(), hidden.read_text()) == (NEAT, NEAT, MESSY)


def test_the_mode_and_links_stay(spec: Path) -> None:
    spec.chmod(0o640)
    link = spec.with_name("link.vl")
    link.symlink_to(spec.name)
    assert main(["fmt", "link.vl"]) == 0
    assert link.is_symlink()
    assert spec.read_text() == NEAT
    assert spec.stat().st_mode & 0o777 == 0o640


def test_marks_and_line_ends_are_normalised(spec: Path) -> None:
    spec.write_bytes(b"\xef\xbb\xbf" + NEAT.replace("\n", "\r\n").encode())
    assert main(["fmt", "--check", "a.vl"]) == 1
    assert main(["fmt", "a.vl"]) == 0
    assert spec.read_bytes() == NEAT.encode()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    spec: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(writing.os, "fsync", full)
    assert main(["fmt", "a.vl"]) == 2
    assert capsys.readouterr().err == "error: a.vl cannot be written: no space left on device\n"
    assert spec.read_text() == MESSY
    assert [path.name for path in spec.parent.iterdir()] == ["a.vl"]


def test_a_missing_file(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "missing.vl"]) == 2
    assert capsys.readouterr().err == "error: there is no file missing.vl\n"


def test_shipped_specs_are_in_canonical_layout(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(find_spec("quickstart")).parent
    assert main(["fmt", "--check", str(folder)]) == 0, capsys.readouterr().out
