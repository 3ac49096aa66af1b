"""Each thing behind `except` has to lie in what is frozen."""

import pytest

from renaissance.grammar.composition.resolution import resolve
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.source import Source

MODEL = """model m {{
  backbone text   = plain_text {{ layers = 4, width = 8, heads = 2 }}
  backbone vision = plain_vision {{ layers = 2, width = 8, heads = 2 }}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 8, heads = 2 }}
  {}
}}
"""


def findings(*directives: str) -> tuple[Diagnostic, ...]:
    text = MODEL.format("\n  ".join(directives))
    return resolve(Source(name="main.vl", text=text)).diagnostics


@pytest.mark.parametrize(
    ("directive", "outside"),
    [
        ("freeze text except norm, vision", "vision"),
        ("freeze text except vision, norm", "vision"),
        ("freeze text except norm, vision until 30%", "vision"),
        ("freeze text.layers[:2] except norm, text.layers[3]", "text.layers[3]"),
        ("freeze text.layers[:2] except text.layers[2:]", "text.layers[2:]"),
        ("freeze text.embeddings, cross except bias, text.mlp", "text.mlp"),
    ],
)
def test_what_lies_outside_is_an_error_with_the_rewrite(directive: str, outside: str) -> None:
    [finding] = findings(directive)
    assert (finding.code, finding.severity) == ("VL203", "error")
    assert finding.span.text == outside
    assert f"`freeze {outside}` on a line of its own" in finding.help[0]


def test_the_edits_make_two_directives() -> None:
    [finding] = findings("freeze text except norm, vision until 30%")
    text = finding.span.source.text
    for edit in sorted(finding.edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert "  freeze text except norm until 30%\n  freeze vision\n" in text
    assert not resolve(Source(name="main.vl", text=text)).diagnostics


@pytest.mark.parametrize(
    "directive",
    [
        "freeze text except norm, bias",
        "freeze text.layers[:3] except text.layers[2:], bias",
        "freeze text, vision except vision.norm",
        "freeze text except norm until 30%",
        "freeze bias except text",
    ],
)
def test_what_lies_inside_is_fine(directive: str) -> None:
    assert findings(directive) == ()


def test_an_exception_that_covers_one_of_two_selectors() -> None:
    [finding] = findings("freeze text, vision except vision")
    assert (finding.code, finding.severity) == ("VL206", "error")
    assert "of `vision`" in finding.message


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_another_directive_freezes_does_not_learn(order: tuple[int, int]) -> None:
    directives = ("freeze text except norm", "freeze norm")
    [finding] = findings(*(directives[index] for index in order))
    assert (finding.code, finding.severity) == ("VL206", "warning")
    assert finding.message == "`except norm` has no effect"


@pytest.mark.parametrize(
    "directives",
    [
        ("freeze vision", "freeze vision.layers[:1]"),
        ("freeze vision.layers[:1]", "freeze vision"),
        ("freeze vision until 30%", "freeze vision until 50%"),
        ("freeze vision.layers[:1], vision",),
        ("freeze vision, vision.norm",),
    ],
)
def test_what_is_frozen_twice_is_said_in_any_order(directives: tuple[str, ...]) -> None:
    [finding] = findings(*directives)
    assert (finding.code, finding.severity) == ("VL206", "warning")
    assert "has no effect" in finding.message


@pytest.mark.parametrize(
    "directives",
    [
        ("freeze vision until 30%", "freeze vision.norm"),
        ("freeze vision.layers[:1]", "freeze vision.layers[1:]"),
        ("freeze vision until 3", "freeze vision until 5%"),
        ("freeze text except norm", "freeze text.layers[0].norm"),
    ],
)
def test_what_adds_up_is_fine(directives: tuple[str, ...]) -> None:
    assert findings(*directives) == ()


@pytest.mark.parametrize(
    ("directive", "outside"),
    [
        ("freeze text except norm, vision", "vision"),
        ("freeze text except text.layers[0], vision.norm", "vision.norm"),
        ("freeze text.layers[:2], cross except bias, heads.itm", "heads.itm"),
        ("freeze text except norm, text.layers[0], pool", "pool"),
        ("freeze text except norm, bias", None),
        ("freeze text, vision except vision.norm, text.layers[0]", None),
        ("freeze norm except text, vision", None),
    ],
)
def test_of_an_encoder_that_nothing_is_known_of(directive: str, outside: str | None) -> None:
    text = MODEL.format(directive).replace(
        "plain_text { layers = 4, width = 8, heads = 2 }",
        'huggingface("someone/unknown") { max_tokens = 12 }',
    )
    found = resolve(Source(name="main.vl", text=text)).diagnostics
    assert [(finding.code, finding.span.text) for finding in found] == (
        [("VL203", outside)] if outside else []
    )
