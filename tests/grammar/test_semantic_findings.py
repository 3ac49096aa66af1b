"""Every semantic finding as a person sees it: the example of its page, with a golden text."""

from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.check import check
from renaissance.grammar.codes import codes, explanation
from renaissance.grammar.source import read_source
from renaissance.render.color import Palette
from renaissance.render.text import render_text

GOLDEN = Path(__file__).parents[1] / "golden" / "semantics"
CODES = [code for code in codes() if code[2] in "123456"]


def rendered(folder: Path, name: str) -> str:
    """Return what `check` prints about a file of a folder, which is the working folder."""
    return render_text(check(read_source(str(folder / name))), Palette(colored=False))


@pytest.mark.parametrize("code", CODES)
def test_findings_read_as_agreed(
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    golden: Callable[[Path, str], None],
) -> None:
    example = explanation(code).fails
    assert example is not None
    monkeypatch.chdir(tmp_path)
    for name, text in {**example.files, "example.vl": example.text}.items():
        Path(name).write_text(text, encoding="utf-8")
    golden(GOLDEN / f"{code}.txt", rendered(Path(), "example.vl"))


SPECS = sorted(GOLDEN.glob("*.vl"))


@pytest.mark.parametrize("path", SPECS, ids=[path.stem for path in SPECS])
def test_files_with_many_mistakes(
    path: Path, monkeypatch: pytest.MonkeyPatch, golden: Callable[[Path, str], None]
) -> None:
    monkeypatch.chdir(GOLDEN)
    golden(path.with_suffix(".txt"), rendered(Path(), path.name))
