"""Every code has a page, and its examples do what they say."""

import re
from pathlib import Path

import pytest

from renaissance.grammar.check import check
from renaissance.grammar.codes import Example, codes, explanation
from renaissance.grammar.source import read_source

ROOT = Path(__file__).parents[2]
FOLDERS = ("grammar", "compiler", "runtime", "renaissance")
WITH_EXAMPLES = [code for code in codes() if not code.startswith("VL9")]


def found(example: Example) -> set[str]:
    """Return the codes of the findings of an example, which stands in the working folder."""
    for name, text in example.files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    Path("example.vl").write_text(example.text, encoding="utf-8")
    return {finding.code for finding in check(read_source("example.vl"))}


@pytest.mark.parametrize("code", WITH_EXAMPLES)
def test_the_examples_fail_and_work(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = explanation(code)
    assert page.fails is not None
    assert page.works is not None
    # That there are too many mistakes is said after the mistakes.
    others = {"VL002"} if code == "VL013" else set()
    assert found(page.fails) == {code} | others
    assert found(page.works) == set()


def test_every_code_in_the_source_has_a_page_and_every_page_a_code() -> None:
    used: set[str] = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            text = _without_docstrings(path.read_text("utf-8"))
            used.update(re.findall(r"\bVL\d{3}\b", text))
    assert used == set(codes())


def test_every_code_has_a_golden_text() -> None:
    folder = Path(__file__).parents[1] / "golden"
    printed = "".join(path.read_text("utf-8") for path in sorted(folder.rglob("*.txt")))
    shown = set(re.findall(r"^(?:error|warning)\[(VL\d{3})\]", printed, re.MULTILINE))
    assert shown >= set(WITH_EXAMPLES)


@pytest.mark.parametrize("code", codes())
def test_pages_have_no_long_lines(code: str) -> None:
    page = explanation(code)
    prose = page.text.partition("## Fails")[0]
    assert max(map(len, prose.splitlines())) <= 110


def _without_docstrings(text: str) -> str:
    return re.sub(r'""".*?"""', "", text, flags=re.DOTALL)
