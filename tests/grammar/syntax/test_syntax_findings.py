"""Every syntax finding, as a person sees it: `tests/golden/syntax/*.vl` with a `.txt` each."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from renaissance.grammar.codes import codes
from renaissance.grammar.source import Source
from renaissance.grammar.syntax.parser import parse
from renaissance.render.color import Palette
from renaissance.render.text import render_text

GOLDEN = Path(__file__).parents[2] / "golden" / "syntax"
SPECS = sorted(GOLDEN.glob("*.vl"))


@pytest.mark.parametrize("path", SPECS, ids=[path.stem for path in SPECS])
def test_findings_read_as_agreed(path: Path, golden: Callable[[Path, str], None]) -> None:
    source = Source(name=path.name, text=path.read_text(encoding="utf-8"))
    _, findings = parse(source)
    golden(path.with_suffix(".txt"), render_text(findings, Palette(colored=False)))


def test_every_syntax_code_has_a_golden_text() -> None:
    printed = "".join(path.read_text(encoding="utf-8") for path in GOLDEN.glob("*.txt"))
    shown = set(re.findall(r"^error\[(VL\d{3})\]", printed, re.MULTILINE))
    assert shown == {code for code in codes() if code.startswith("VL0")}
