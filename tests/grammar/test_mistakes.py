"""One mistake, one finding, at its place, with what to write instead.

`mistakes/NAME.vl` are specs without a finding, `mistakes/NAME.toml` list mistakes in them.
"""

import tomllib
from functools import cache
from pathlib import Path

import pytest

from renaissance.grammar.check import check
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.fixing import fixed
from renaissance.grammar.source import Source

FOLDER = Path(__file__).parent / "mistakes"
SPECS = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.vl")}
MISTAKES = {
    name: tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["mistakes"]
    for name in sorted(SPECS)
}
CASES = [
    pytest.param(name, *mistake, id=f"{name}:{number}")
    for name, mistakes in MISTAKES.items()
    for number, mistake in enumerate(mistakes)
]


@cache
def found(text: str) -> tuple[Diagnostic, ...]:
    return check(Source(name="example.vl", text=text))


def with_mistake(name: str, right: str, wrong: str) -> str:
    assert right in SPECS[name]
    return SPECS[name].replace(right, wrong, 1)


@pytest.mark.parametrize("name", SPECS)
def test_the_specs_are_right(name: str) -> None:
    assert found(SPECS[name]) == ()


def test_there_are_many() -> None:
    assert len(CASES) >= 450
    assert len({tuple(case.values) for case in CASES}) == len(CASES)


@pytest.mark.parametrize(("name", "right", "wrong", "place", "help"), CASES)
def test_a_mistake_is_one_finding(name: str, right: str, wrong: str, place: str, help: str) -> None:
    findings = found(with_mistake(name, right, wrong))
    said = [(f"{f.code} {f.span.source.position(f.span.start)[0]}", f.message) for f in findings]
    assert len(findings) == 1, said
    assert said[0][0] == place
    assert next(iter(findings[0].help), "") == help


@pytest.mark.parametrize(("name", "right", "wrong", "place", "help"), CASES)
def test_what_is_rewritten_has_no_finding(
    name: str, right: str, wrong: str, place: str, help: str
) -> None:
    text = with_mistake(name, right, wrong)
    [finding] = found(text)
    if finding.edits:
        rewritten = fixed(Source(name="example.vl", text=text), (finding,))
        assert place not in {
            f"{f.code} {f.span.source.position(f.span.start)[0]}" for f in found(rewritten)
        }


def test_a_word_of_others_hides_nothing_of_its_value() -> None:
    right = "layers = 1\n    width  = 64\n    heads  = 4"
    wrong = "layers = 1\n    hidden_size = 32\n    num_attention_heads = 5"
    findings = found(with_mistake("towers", right, wrong))
    assert [finding.code for finding in findings] == ["VL401", "VL401", "VL303"]
