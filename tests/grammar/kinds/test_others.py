"""Words that other packages bring are words like ours; what is wrong with them is a finding."""

import json
from pathlib import Path

import pytest

from renaissance.grammar.kinds.registry import FAMILIES, facet, schema, words
from tests.grammar.kinds.others import FORMAT, Installed

SPEC = """data pairs {
  format = lines
  table = "pairs.txt"
}
"""
ASKED = """model tiny {
  backbone text = plain_text { layers = 1, width = 16, heads = 2, max_tokens = 16 }
  backbone vision = plain_vision { layers = 1, width = 16, heads = 2, image_size = 32 }
  fusion cross = cross_attention(text, vision) { layers = 1, width = 16, heads = 2 }
}

finetune answers on tiny {
  task = asked
  optimizer adamw { lr = 1e-3 }
  batch = 8
  steps = 2
}
"""
TASK = '''"""Keys of `asked`."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from renaissance.grammar.kinds.data import Split, TaskBlock


class Asked(TaskBlock):
    """Questions about images."""

    outputs: ClassVar[int] = 2

    task: Literal["asked"] = "asked"

    def splits(self) -> Mapping[str, Split]:
        """Return what there is."""
        return {"train": Split(file="train", use="train"), "test": Split(file="test", use="report")}
'''
KINDS = [(family, word) for family in FAMILIES for word in words(family)]
OURS = SPEC.replace("lines", "image_caption").replace("pairs.txt", "pairs.csv")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    monkeypatch.chdir(tmp_path)
    Path("a.vl").write_text(SPEC)
    Path("pairs.txt").touch()
    return Installed(folder=tmp_path / "packages")


def shapes(installed: Installed, version: str = "1.0") -> None:
    """Install a package that brings the format `lines`."""
    text = FORMAT.format(word="lines")
    points = {"format.lines": "shapes.lines"}
    installed.install("vl-shapes", points, version=version, files={"shapes/lines/schema.py": text})


def test_its_words_are_where_ours_are(installed: Installed) -> None:
    shapes(installed)
    checked = installed.run("check", "a.vl")
    assert (checked.returncode, checked.stdout) == (0, "1 file checked: no errors\n")
    shown = installed.run("show", "a.vl").stdout
    assert "format         = lines" in shown and "limit          = 9" in shown
    explained = installed.run("explain", "lines").stdout
    assert explained.startswith("# `format = lines`\n\nA text file with a line for each image.")
    assert explained.endswith("\nBrought by vl-shapes==1.0.\n")
    Path("b.vl").write_text(SPEC.replace("pairs.txt", "other.txt"))
    assert "table" in installed.run("diff", "a.vl", "b.vl").stdout


def test_a_word_that_is_misspelt_gets_its_words_suggested(installed: Installed) -> None:
    shapes(installed)
    Path("a.vl").write_text(SPEC.replace("lines", "linse"))
    said = installed.run("check", "a.vl").stdout
    assert "error[VL407]: `format` cannot be `linse`" in said
    assert "a word with a similar name exists: `lines`" in said
    assert "is `lines` meant?" in installed.run("explain", "linse").stderr


def test_the_hash_says_which_package_in_which_version(installed: Installed) -> None:
    shapes(installed)
    first = installed.run("show", "--hash", "a.vl").stdout
    (installed.folder / "vl_shapes-1.0.dist-info").rename(installed.folder / "away")
    shapes(installed, version="1.1")
    second = installed.run("show", "--hash", "a.vl").stdout
    assert len(first) == len(second) == 65
    assert first != second


def test_two_packages_with_one_word_are_both_named(installed: Installed) -> None:
    shapes(installed)
    text = FORMAT.format(word="lines")
    points = {"format.lines": "forms.lines"}
    installed.install("vl-forms", points, files={"forms/lines/schema.py": text})
    checked = installed.run("check", "a.vl")
    assert checked.returncode == 1
    assert checked.stdout == (
        "error[VL902]: 2 packages bring the format `lines`: `vl-forms` (`forms.lines`) and "
        "`vl-shapes` (`shapes.lines`)\n"
        " --> a.vl:2:12\n"
        "  |\n"
        "2 |   format = lines\n"
        "  |            ^^^^^ cannot be used\n"
        "  |\n"
        "help: uninstall all but one of them\n"
        "\n"
        "1 file checked: 1 error\n"
    )
    assert "uninstall all but one of them" in installed.run("explain", "lines").stderr


def test_a_folder_without_a_file_that_is_needed_is_a_finding(installed: Installed) -> None:
    shapes(installed)
    (installed.folder / "shapes" / "lines" / "reader.py").unlink()
    checked = installed.run("check", "a.vl")
    assert checked.returncode == 1
    assert "error[VL902]: the package `shapes.lines` has no module `reader`" in checked.stdout
    assert "help: a format has `reader.py`" in checked.stdout


@pytest.mark.parametrize(("family", "word"), KINDS)
def test_our_folders_have_all_files_that_are_needed(family: str, word: str) -> None:
    kind = schema(family, word)
    for name in FAMILIES[family].facets:
        assert facet(kind, name) is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nonsense", "`shapes.lines.schema` cannot be imported: ModuleNotFoundError: "),
        ("1 / 0", "`shapes.lines.schema` cannot be imported: ZeroDivisionError: "),
        ("", "`shapes.lines.schema` declares no format `lines`"),
        (FORMAT.format(word="other"), "`shapes.lines.schema` declares no format `lines`"),
    ],
)
def test_what_cannot_be_used_is_a_finding(installed: Installed, text: str, said: str) -> None:
    points = {"format.lines": "shapes.lines"}
    installed.install("vl-shapes", points, files={"shapes/lines/schema.py": text})
    checked = installed.run("check", "a.vl")
    assert checked.returncode == 1
    assert f"error[VL902]: {said}" in checked.stdout
    assert "--> a.vl:2:12\n" in checked.stdout
    assert "Traceback" not in checked.stdout
    # Listings leave it out.
    Path("a.vl").write_text(SPEC.replace("lines", "nonsense"))
    listed = installed.run("check", "a.vl").stdout
    assert "`image_caption`" in listed and "`lines`" not in listed


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("limit: int = 9", "`shapes.lines.schema.Lines` does not declare `limit` as a key"),
        (
            'limit: int = key(9, doc="odd", impact="odd")',
            "`shapes.lines.schema.Lines` does not declare `limit` as a key",
        ),
        (
            'limit: bytes = key(b"", doc="odd", impact="eval")',
            "`shapes.lines.schema.Lines` cannot be read: the language has no spelling for "
            "<class 'bytes'>",
        ),
        (
            'limit: "Missing" = key(1, doc="odd", impact="eval")',
            "`shapes.lines.schema.Lines` cannot be read: name 'Missing' is not defined",
        ),
    ],
)
def test_a_key_that_the_language_cannot_have_is_a_finding(
    installed: Installed, key: str, said: str
) -> None:
    declared = 'limit: int = key(9, doc="most lines that are read", impact="training", ge=1)'
    text = FORMAT.format(word="lines")
    assert declared in text
    files = {"shapes/lines/schema.py": text.replace(declared, key)}
    installed.install("vl-shapes", {"format.lines": "shapes.lines"}, files=files)
    checked = installed.run("check", "a.vl")
    assert checked.returncode == 1
    assert f"error[VL902]: {said}\n --> a.vl:2:12\n" in checked.stdout
    explained = installed.run("explain", "lines")
    assert (explained.returncode, explained.stdout) == (2, "")
    assert explained.stderr.startswith(f"error: {said}")


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ("    outputs: ClassVar[int] = 2\n", "states no `outputs`"),
        ('"train": Split(file="train", use="train"),', "the task `asked` has no split `train`"),
    ],
)
def test_a_task_without_what_tasks_state_is_refused(
    installed: Installed, left_out: str, said: str
) -> None:
    assert left_out in TASK
    files = {"shapes/asked/schema.py": TASK.replace(left_out, "")}
    installed.install("vl-shapes", {"task.asked": "shapes.asked"}, files=files)
    Path("a.vl").write_text(ASKED)
    checked = installed.run("check", "a.vl")
    assert checked.returncode in (1, 2)
    assert said in checked.stdout + checked.stderr and "bug in renaissance" not in checked.stderr


def test_a_package_that_is_gone_is_an_unknown_word(installed: Installed) -> None:
    said = installed.run("check", "a.vl").stdout
    assert "error[VL407]: `format` cannot be `lines`" in said


def test_nothing_of_others_is_looked_at_where_all_words_are_ours(installed: Installed) -> None:
    points = {"format.lines": "shapes.lines"}
    installed.install("vl-shapes", points, files={"shapes/lines/schema.py": "1 / 0"})
    Path("a.vl").write_text(OURS)
    Path("pairs.csv").touch()
    code = (
        "import importlib.metadata, sys\n"
        "whole = importlib.metadata.entry_points\n"
        "def entry_points(group):\n"
        "    assert not group.startswith('renaissance.')\n"
        "    return whole(group=group)\n"
        "importlib.metadata.entry_points = entry_points\n"
        "from renaissance.cli import main\n"
        "assert main(['check', 'a.vl']) == 0\n"
        "import json\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('renaissance.')]))"
    )
    done = installed.python("-c", code)
    assert done.returncode == 0, done.stderr
    formats = "renaissance.runtime.formats."
    loaded = [name for name in json.loads(done.stdout.splitlines()[-1]) if name.startswith(formats)]
    assert sorted(loaded) == [f"{formats}image_caption", f"{formats}image_caption.schema"]


def test_a_run_refuses_a_word_of_ours_that_another_package_brings_as_well(
    installed: Installed,
) -> None:
    text = FORMAT.format(word="image_caption")
    points = {"format.image_caption": "shapes.captions"}
    installed.install("vl-shapes", points, files={"shapes/captions/schema.py": text})
    Path("a.vl").write_text(OURS)
    code = (
        "import renaissance\n"
        "from renaissance.grammar.kinds.origins import origins\n"
        "origins(renaissance.load('a.vl'))"
    )
    last = installed.python("-c", code).stderr.splitlines()[-1]
    assert last.endswith(
        "the format `image_caption` is a word of renaissance, and `vl-shapes` (`shapes.captions`) "
        "brings another one; uninstall that"
    )
