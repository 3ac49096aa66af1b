"""The command line as a whole: exit codes, and what goes wrong around a verb."""

import json
import os
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import pytest

import renaissance
from renaissance import cli
from renaissance.ascii import plainly
from renaissance.files import find_spec
from renaissance.grammar.diagnostics import Diagnostic, SpecError
from renaissance.grammar.source import Source, SourceError, Span
from renaissance.verbs import VERBS

GOOD = Path(find_spec("quickstart")).read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tmp_path


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Stand in for the module of a verb; set its `run`."""
    module = SimpleNamespace()
    monkeypatch.setattr(cli, "import_module", lambda name: module)
    return module


def raising(error: BaseException) -> object:
    def run(arguments: Namespace) -> int:
        raise error

    return run


def finding() -> Diagnostic:
    source = Source(name="a.vl", text="a = 1\n")
    return Diagnostic(code="VL001", message="wrong", span=Span(source=source, start=0, end=1))


def test_usage_errors_exit_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in ([], ["nonsense"], ["check", "--nonsense"], ["diff", "one.vl"], ["chec"]):
        assert cli.main(argv) == 2
        assert "usage: renaissance" in capsys.readouterr().err


def test_help_and_version_exit_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"renaissance {renaissance.__version__}\n"
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, verb in VERBS.items():
        assert name in shown
        assert cli.main([name, "--help"]) == 0
        assert verb.description in " ".join(capsys.readouterr().out.split())


def test_the_code_of_the_verb_is_the_exit_code(verb: SimpleNamespace) -> None:
    for code in (0, 1, 2, 3):
        verb.run = lambda arguments, code=code: code
        assert cli.main(["specs"]) == code


def test_a_spec_that_cannot_be_used_exits_with_1(
    verb: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    verb.run = raising(SpecError([finding()]))
    assert cli.main(["show", "a.vl"]) == 1
    assert "error[VL001]: wrong" in capsys.readouterr().err
    assert cli.main(["show", "--format", "json", "a.vl"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["command"], document["ok"]) == ("show", False)
    assert document["diagnostics"][0]["code"] == "VL001"


def test_a_file_that_cannot_be_read_exits_with_2(
    verb: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    verb.run = raising(SourceError("there is no file a.vl"))
    assert cli.main(["show", "a.vl"]) == 2
    assert capsys.readouterr().err == "error: there is no file a.vl\n"


def test_an_internal_error_is_a_sentence_and_a_traceback_only_on_request(
    verb: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    verb.run = raising(RuntimeError("the sky\nfell"))
    assert cli.main(["show", "a.vl"]) == 2
    shown = capsys.readouterr().err
    assert "VL901" in shown
    assert f"this is a bug in renaissance {renaissance.__version__}" in shown
    assert "RuntimeError: the sky fell" in shown
    assert "Traceback" not in shown
    assert shown.count("\n") == 1
    assert cli.main(["show", "-v", "a.vl"]) == 2
    assert "Traceback" in capsys.readouterr().err
    assert cli.main(["show", "--format", "json", "a.vl"]) == 2
    (failure,) = json.loads(capsys.readouterr().out)["failures"]
    assert failure["message"].startswith("VL901")


def test_an_interrupt_exits_with_130(verb: SimpleNamespace) -> None:
    verb.run = raising(KeyboardInterrupt())
    assert cli.main(["specs"]) == 130


def test_a_closed_pipe_is_quiet(folder: Path) -> None:
    script = f"{sys.executable} -m renaissance explain; echo $? >&2"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        ["sh", "-c", script], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert done.stderr == "2\n"


def test_names_that_no_encoding_can_print(folder: Path) -> None:
    name = b"\xff\xe9.vl"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for arguments in ([b"check", name], [b"check", b"--format", b"json", name]):
        done = subprocess.run(
            [os.fsencode(sys.executable), b"-m", b"renaissance", *arguments],
            capture_output=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr


def test_python_m_renaissance_is_the_same(folder: Path) -> None:
    (folder / "a.vl").write_text("a = = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "renaissance", "check", "a.vl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "error[VL001]" in done.stdout
    assert done.stderr == ""


TINY = """model tiny {
  backbone text   = plain_text { layers = 2, width = 64, heads = 4 }
  backbone vision = plain_vision { layers = 2, width = 64, heads = 4 }
  fusion cross = cross_attention(text, vision)
}
"""


def test_values_are_set_from_outside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "good.vl").write_text(TINY)
    assert cli.main(["show", "good.vl", "--origin", "--set", "tiny.pool=mean"]) == 0
    assert "pool      = mean  # --set" in capsys.readouterr().out
    assert cli.main(["diff", "good.vl", "good.vl", "--exit-code", "--set", "tiny.pool=mean"]) == 1
    assert "mean" in capsys.readouterr().out
    assert cli.main(["check", "good.vl", "--set", "tiny.pol=mean"]) == 1
    assert "`pool`" in capsys.readouterr().out
    assert cli.main(["check", "good.vl", "--set", "pool"]) == 2
    said = "error: --set pool is not written as ADDRESS=VALUE, such as base.batch=64\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    "given",
    [
        ["study", "good.vl", "--seeds", "1", "--seeds", "2"],
        ["check", "good.vl", "--set", "tiny.pool=1", "--set", "tiny.pool = 2"],
        ["plan", "good.vl", "--tokens", "1", "--tokens", "2"],
        ["plan", "good.vl", "--texts", "1", "--texts", "2"],
        ["plan", "good.vl", "--texts", "base=1", "--texts", "base=2"],
        ["train", "good.vl", "-o", "1", "--out", "2"],
    ],
    ids=" ".join,
)
def test_nothing_is_given_twice(
    folder: Path, capsys: pytest.CaptureFixture[str], given: list[str]
) -> None:
    (folder / "good.vl").write_text(TINY)
    assert cli.main(given) == 2
    assert capsys.readouterr().err.endswith("given twice: 1 and 2\n")


STUDY = """
data pairs { format = image_caption, table = "pairs.csv" }
pretrain base on tiny {
  data = [pairs], objective mlm, optimizer adamw { lr = 1e-4 }, batch = 4, steps = 10
}
study sizes {
  of = base
  factor batch { small { base.batch = 4 }, large { base.batch = 8 } }
  seeds = [0, 1]
}
"""


def test_show_lists_the_cells_of_a_study(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "s.vl").write_text(TINY + STUDY)
    assert cli.main(["show", "s.vl", "--study", "sizes"]) == 0
    shown = capsys.readouterr().out
    assert "study sizes: 2 variants × 2 seeds\n" in shown
    assert "batch=small  (baseline)\nbatch=large\n  base.batch: 4 -> 8\n" in shown
    assert cli.main(["show", "s.vl", "--study", "sizes:batch=large/seed=1"]) == 0
    assert "  batch            = 8\n" in capsys.readouterr().out
    assert cli.main(["show", "s.vl", "--study", "sizes", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [cell["name"] for cell in document["cells"]][-1] == "batch=large/seed=1"
    assert len({cell["hash"] for cell in document["cells"]}) == 4
    assert cli.main(["show", "s.vl", "--study", "size"]) == 2
    assert "there is no study `size`; there is `sizes`" in capsys.readouterr().err
    assert cli.main(["show", "s.vl", "--study", "sizes:batch=huge"]) == 2
    assert "study `sizes` has no cell `batch=huge`" in capsys.readouterr().err


def test_check_says_what_it_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "good.vl").write_text(GOOD)
    (folder / "bad.vl").write_text("model tiny {\n  pool = = cls\n}\n")
    assert cli.main(["check", "good.vl"]) == 0
    assert capsys.readouterr().out == "1 file checked: no errors\n"
    assert cli.main(["check", "good.vl", "bad.vl"]) == 1
    shown = capsys.readouterr().out
    assert " --> bad.vl:2:10" in shown
    assert shown.endswith("2 files checked: 1 error\n")
    assert cli.main(["check"]) == 1
    assert capsys.readouterr().out.endswith("2 files checked: 1 error\n")


def test_check_answers_2_when_a_file_cannot_be_read_and_still_checks_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.vl").write_text("a = = 1\n")
    assert cli.main(["check", "missing.vl", "bad.vl"]) == 2
    shown = capsys.readouterr()
    assert "error: there is no file missing.vl" in shown.err
    assert "error[VL001]" in shown.out


def test_check_in_a_folder_without_specs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check"]) == 2
    assert "there is no .vl file" in capsys.readouterr().err


@pytest.mark.parametrize("style", ["json", "sarif"])
def test_documents_go_to_standard_output_alone(
    style: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.vl").write_text("a = = 1\n")
    assert cli.main(["check", "--format", style, "bad.vl", "missing.vl"]) == 2
    shown = capsys.readouterr()
    assert shown.err == ""
    document = json.loads(shown.out)
    if style == "json":
        assert document["diagnostics"][0]["labels"][0]["start"]["column"] == 5
        assert document["failures"] == [{"message": "there is no file missing.vl"}]
    else:
        assert document["runs"][0]["results"][0]["ruleId"] == "VL001"


def test_color_can_be_forced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.vl").write_text("a = = 1\n")
    cli.main(["check", "--color", "always", "bad.vl"])
    assert "\x1b[" in capsys.readouterr().out
    cli.main(["check", "bad.vl"])
    assert "\x1b[" not in capsys.readouterr().out


def test_a_shipped_spec_is_found_by_its_name(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Path(find_spec("quickstart")).is_file()
    (folder / "quickstart").write_text(GOOD)
    assert find_spec("quickstart") == "quickstart"
    assert find_spec("nonsense") == "nonsense"
    assert find_spec("../quickstart") == "../quickstart"


def test_data_that_are_not_there_are_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    block = 'data {name} {{ format = image_caption, table = "{path}" }}\n'
    for number, path in enumerate(("no/where.csv", "pair.csv", "there.csv")):
        Path(f"{number}.vl").write_text(block.format(name="d", path=path))
    Path("there.csv").write_text("image,caption\n")
    Path("pairs.csv").write_text("image,caption\n")
    assert cli.main(["check"]) == 0
    shown = capsys.readouterr().out
    # One is a finding, since a file of nearly that name lies there; it is not said twice.
    assert shown.count("there is no file `pair.csv`") == shown.count("pair.csv`") == 1
    assert shown.count("not there, seen from this folder: `no/where.csv`; ") == 1
    assert "there.csv" not in shown.replace("where.csv", "")
    assert cli.main(["check", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["absent"] == ["no/where.csv", "pair.csv"]


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "vl006"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# VL006: no value after `=`\n")
    assert cli.main(["explain", "006"]) == 0
    assert capsys.readouterr().out == shown
    assert cli.main(["explain", "--format", "json", "VL006"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["code"] == "VL006"
    assert "root   =\n" in document["fails"]["text"]
    assert cli.main(["explain"]) == 0
    assert "VL006  no value after `=`\n" in capsys.readouterr().out
    assert cli.main(["explain", "VL999"]) == 2
    assert "there is no page on `VL999`; is `VL" in capsys.readouterr().err
    assert cli.main(["explain", "--format", "json"]) == 0
    assert {"code": "VL006", "title": "no value after `=`"} in json.loads(capsys.readouterr().out)[
        "codes"
    ]


def test_explain_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "nlvr"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# `task = nlvr`\n") and "\n# `format = nlvr`\n" in shown
    assert cli.main(["explain", "--format", "json", "adamw"]) == 0
    assert "| `lr` | number |" in json.loads(capsys.readouterr().out)["text"]
    assert cli.main(["explain", "adamv"]) == 2
    assert "there is no page on `adamv`; is `adam` or `adamw` meant?" in capsys.readouterr().err


def test_the_api_is_there_and_nothing_else() -> None:
    assert set(renaissance.__all__) <= set(dir(renaissance))
    assert renaissance.SpecError is SpecError
    with pytest.raises(AttributeError, match="nonsense"):
        _ = renaissance.nonsense


def test_check_repairs_what_can_mean_one_thing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = GOOD.replace("pool = ", "pool == ", 1)
    assert wrong != GOOD
    (folder / "a.vl").write_text(wrong)
    assert cli.main(["check", "--fix", "a.vl"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("fixed a.vl:") and "write one `=`" in shown
    repaired = (folder / "a.vl").read_text()
    assert repaired == GOOD
    assert cli.main(["check", "--fix", "a.vl"]) == 0
    assert "fixed" not in capsys.readouterr().out
    assert (folder / "a.vl").read_text() == repaired


def test_check_leaves_a_file_that_it_cannot_repair(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = GOOD.replace("pool = ", "pool == ", 1).replace("\n", "\r\n").encode()
    (folder / "a.vl").write_bytes(wrong)
    assert cli.main(["check", "--fix", "a.vl"]) == 2
    assert "other line ends" in capsys.readouterr().err
    assert (folder / "a.vl").read_bytes() == wrong
    assert cli.main(["check", "--fix", "-"]) == 2


def test_warnings_may_be_denied(folder: Path) -> None:
    (folder / "a.vl").write_text(f"let unused = 1\n{GOOD}")
    assert cli.main(["check", "a.vl"]) == 0
    assert cli.main(["check", "--deny-warnings", "a.vl"]) == 1


def test_a_word_that_is_no_verb_is_told_from_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["chekc", "a.vl"]) == 2
    assert capsys.readouterr().err.endswith("error: there is no verb `chekc`; is `check` meant?\n")
    (folder / "a.vl").write_text(GOOD)
    assert cli.main(["a.vl"]) == 2
    assert "write `renaissance check a.vl`" in capsys.readouterr().err


def test_a_job_behind_the_file_is_no_part_of_its_name(folder: Path) -> None:
    (folder / "a.vl").write_text(GOOD)
    for verb in ("check", "show"):
        assert cli.main([verb, "a.vl:base"]) == 0


def test_terminals_without_signs_get_others() -> None:
    plain = "├──▶ 3 × 4 … größe".encode("ascii", errors=plainly()).decode()
    assert plain == "+--\\u25b6 3 x 4 ... gr\\xf6\\xdfe"


def test_what_is_set_has_to_fit_one_of_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.vl").write_text("let rate = 1e-3\n" + GOOD.replace("lr = 1e-3", "lr = rate"))
    Path("b.vl").write_text(GOOD)
    assert cli.main(["check", "a.vl", "b.vl", "--set", "rate=1e-2"]) == 0
    assert "note: `rate` is not in b.vl, and was not set there" in capsys.readouterr().out
    assert cli.main(["check", "a.vl", "b.vl", "--set", "speed=1e-2"]) == 1
    shown = capsys.readouterr().out
    assert "there is no value named `speed` in a.vl" in shown
    assert "there is no value named `speed` in b.vl" in shown


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("asked.csv", "is a table, not a .vl spec"),
        ("model.pt", "holds weights"),
        ("spec.json", "is a JSON file"),
        ("config.yaml", "is a YAML file"),
        ("folder", "folder is a folder, not a file: its spec is folder/spec.vl"),
        ("quickstrat", "there is no file quickstrat; is `quickstart` meant?"),
        ("spec", "there is no file spec; is `spec.vl` meant?"),
    ],
)
def test_what_is_no_spec_is_told(
    name: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    for file in ("asked.csv", "model.pt", "spec.json", "config.yaml", "spec.vl", "folder/spec.vl"):
        Path(file).write_text("a,b\n")
    assert cli.main(["show", name]) == 2
    assert said in capsys.readouterr().err


def test_a_hash_stands_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.vl").write_text("let unused = 1\n" + GOOD)
    assert cli.main(["show", "--hash", "a.vl"]) == 0
    shown = capsys.readouterr()
    assert re.fullmatch(r"[0-9a-f]{64}\n", shown.out)
    assert "warning[VL110]" in shown.err
