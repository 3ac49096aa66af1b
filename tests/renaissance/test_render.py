"""How findings are shown: text, JSON and SARIF."""

import io
import json
import re

import pytest

from renaissance.grammar.diagnostics import Diagnostic, Edit, Label
from renaissance.grammar.source import Source, Span
from renaissance.render.color import Palette, palette
from renaissance.render.envelope import envelope, to_json
from renaissance.render.order import ordered
from renaissance.render.sarif import sarif
from renaissance.render.text import render_finding, render_summary, render_text

PLAIN = Palette(colored=False)
SPEC = Source(
    name="specs/frozen.vl",
    text="""\
model frozen_vision {
  backbone text   = electra
  backbone vision = deit
  pool = cls

  freeze vison
}
""",
)


def span(source: Source, text: str, nth: int = 0) -> Span:
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Span(source=source, start=start, end=start + len(text))


def finding(**changes: object) -> Diagnostic:
    fields: dict[str, object] = {
        "code": "VL204",
        "message": "`freeze` selector `vison` matches nothing in model `frozen_vision`",
        "span": span(SPEC, "vison"),
        "label": "no component of this name",
        **changes,
    }
    return Diagnostic(**fields)  # type: ignore[arg-type]


def test_the_shape_of_a_finding() -> None:
    item = finding(
        help=("a component with a similar name exists: `vision`",),
        notes=("components are text, vision, cross, heads",),
    )
    assert (
        render_finding(item, PLAIN)
        == """\
error[VL204]: `freeze` selector `vison` matches nothing in model `frozen_vision`
 --> specs/frozen.vl:6:10
  |
6 |   freeze vison
  |          ^^^^^ no component of this name
  |
help: a component with a similar name exists: `vision`
note: components are text, vision, cross, heads
"""
    )


def test_other_places_of_the_same_file() -> None:
    item = finding(
        severity="warning",
        related=(
            Label(span=span(SPEC, "vision", 1), text="declared here"),
            Label(span=span(SPEC, "cls"), text="used here"),
            Label(span=span(SPEC, "freeze"), text="this statement"),
        ),
    )
    assert (
        render_finding(item, PLAIN)
        == """\
warning[VL204]: `freeze` selector `vison` matches nothing in model `frozen_vision`
 --> specs/frozen.vl:6:10
  |
3 |   backbone vision = deit
  |            ------ declared here
4 |   pool = cls
  |          --- used here
5 |
6 |   freeze vison
  |          ^^^^^ no component of this name
  |   ------ this statement
"""
    )


def test_places_in_another_file() -> None:
    base = Source(name="base.vl", text="\n" * 119 + "model base { pool = cls }\n")
    item = finding(related=(Label(span=span(base, "pool"), text="set here"),))
    assert (
        render_finding(item, PLAIN)
        == """\
error[VL204]: `freeze` selector `vison` matches nothing in model `frozen_vision`
   --> specs/frozen.vl:6:10
    |
  6 |   freeze vison
    |          ^^^^^ no component of this name
   ::: base.vl:120:14
    |
120 | model base { pool = cls }
    |              ---- set here
"""
    )


@pytest.mark.parametrize(
    ("text", "start", "end", "shown", "underline"),
    [
        ("\ta = \tx", 6, 7, " a =  x", "      ^"),
        ("a = 日本 x", 7, 8, "a = 日本 x", "         ^"),
        ("a = 日本 x", 4, 6, "a = 日本 x", "    ^^^^"),
        ("e\u0301 = x", 5, 6, "e\u0301 = x", "    ^"),
        ("a = \x1b[31mx", 9, 10, "a = \ufffd[31mx", "         ^"),
        ("a\u00a0= x", 1, 2, "a·= x", " ^"),
        ("a =", 3, 3, "a =", "   ^"),
        ("a = [1,\n2]", 4, 10, "a = [1,", "    ^^^"),
    ],
)
def test_the_underline_stands_under_the_part(
    text: str, start: int, end: int, shown: str, underline: str
) -> None:
    source = Source(name="a.vl", text=text)
    item = finding(span=Span(source=source, start=start, end=end), label="")
    lines = render_finding(item, PLAIN).splitlines()
    assert lines[3] == f"1 | {shown}"
    assert lines[4] == f"  | {underline}"


def test_a_long_line_is_cut_around_the_part() -> None:
    source = Source(name="a.vl", text="x" * 5000 + "!" + "y" * 5000)
    item = finding(span=Span(source=source, start=5000, end=5001))
    lines = render_finding(item, PLAIN).splitlines()
    assert len(lines[3]) < 180
    assert lines[3].index("!") == lines[4].index("^")
    narrow = render_finding(item, PLAIN, 60).splitlines()
    assert len(narrow[3]) == 60 and narrow[3].index("!") == narrow[4].index("^")


def test_control_characters_never_reach_the_terminal() -> None:
    source = Source(name="a\x1b.vl", text="a = \x1b]0;title\x07")
    item = finding(message="a \x1b[2J", span=Span(source=source, start=4, end=5), label="\x08")
    shown = render_text([item], PLAIN)
    assert all(letter.isprintable() or letter == "\n" for letter in shown)


def test_findings_are_sorted_and_each_is_shown_once() -> None:
    first, second = finding(span=span(SPEC, "pool")), finding()
    assert ordered([second, first, second]) == [first, second]
    other = Source(name="a.vl", text="x")
    elsewhere = finding(span=Span(source=other, start=0, end=1))
    assert ordered([first, elsewhere]) == [elsewhere, first]


def test_at_most_fifty_findings_a_file() -> None:
    source = Source(name="a.vl", text="x" * 60)
    items = [finding(span=Span(source=source, start=n, end=n + 1)) for n in range(52)]
    shown = render_text(items, PLAIN)
    assert shown.count("error[") == 50
    assert shown.endswith("a.vl: 2 more findings\n\n")
    assert render_text(items[:51], PLAIN).endswith("a.vl: 1 more finding\n\n")
    assert "more" not in render_text(items[:50], PLAIN)


def test_the_summary() -> None:
    warning = finding(severity="warning", span=span(SPEC, "pool"))
    assert render_summary([], 1) == "1 file checked: no errors\n"
    assert render_summary([finding(), warning], 2) == "2 files checked: 1 error, 1 warning\n"


def test_colour_is_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert palette("auto", Terminal()).colored
    assert not palette("auto", io.StringIO()).colored
    assert palette("always", io.StringIO()).colored
    assert not palette("never", Terminal()).colored
    monkeypatch.setenv("NO_COLOR", "1")
    assert not palette("auto", Terminal()).colored
    assert palette("always", Terminal()).colored


def test_colour_adds_only_colour() -> None:
    item = finding(help=("do this",), related=(Label(span=span(SPEC, "pool"), text="here"),))
    colored = render_finding(item, Palette(colored=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render_finding(item, PLAIN)


def test_the_json_document() -> None:
    fix = Edit(span=span(SPEC, "vison"), text="vision")
    item = finding(
        help=("write `vision`",),
        edits=(fix,),
        related=(Label(span=span(SPEC, "pool"), text="here"),),
    )
    document = json.loads(to_json(envelope("check", ok=False, diagnostics=[item], extra=1)))
    assert document["format_version"] == "1.0"
    assert document["tool"].startswith("renaissance ")
    assert (document["command"], document["ok"], document["extra"]) == ("check", False, 1)
    assert document["summary"] == {"errors": 1, "warnings": 0, "fixable": 1}
    assert document["failures"] == []
    (data,) = document["diagnostics"]
    offset = SPEC.text.index("vison")
    assert data["labels"][0] == {
        "primary": True,
        "text": "no component of this name",
        "file": "specs/frozen.vl",
        "start": {"line": 6, "column": 10, "offset": offset},
        "end": {"line": 6, "column": 15, "offset": offset + 5},
    }
    assert data["labels"][1]["primary"] is False
    assert data["notes"] == []
    assert data["fixes"] == [
        {
            "title": "write `vision`",
            "edits": [
                {
                    "file": "specs/frozen.vl",
                    "start": offset,
                    "end": offset + 5,
                    "text": "vision",
                }
            ],
        }
    ]


def test_lists_of_the_json_document_are_never_null() -> None:
    document = envelope("check", ok=True, diagnostics=[finding()])
    assert document["diagnostics"][0]["help"] == []
    assert document["diagnostics"][0]["fixes"] == []
    assert envelope("check", ok=True)["diagnostics"] == []


def test_the_sarif_document() -> None:
    source = Source(name="my specs/a.vl", text="a = = 1\n")
    item = Diagnostic(
        code="VL001",
        message="expected a value",
        span=Span(source=source, start=4, end=5),
        related=(Label(span=Span(source=source, start=0, end=1), text="here"),),
        edits=(Edit(span=Span(source=source, start=4, end=6), text=""),),
    )
    document = sarif([item, finding(code="VL999")], failures=["there is no file b.vl"])
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["VL001", "VL999"]
    assert "What it means" in rules[0]["help"]["markdown"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == "error"
    first = run["results"][0]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "my%20specs/a.vl"
    assert place["region"] == {
        "startLine": 1,
        "startColumn": 5,
        "endLine": 1,
        "endColumn": 6,
        "charOffset": 4,
        "charLength": 1,
    }
    assert first["relatedLocations"][0]["message"]["text"] == "here"
    (change,) = first["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["deletedRegion"]["charLength"] == 2
    assert run["invocations"][0]["executionSuccessful"] is False
    json.dumps(document)
