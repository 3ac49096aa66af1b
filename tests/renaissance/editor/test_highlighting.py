"""Colours by rules that follow from the tables and the schema."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pygments.lexers import get_lexer_by_name
from pygments.token import Error, Keyword, Literal, Name, String

from renaissance.editor.lexer import VlLexer
from renaissance.editor.textmate import grammar, rules, text
from renaissance.editor.words import language
from renaissance.grammar.source import Source
from renaissance.grammar.syntax.tokens import tables, tokenize

ROOT = Path(__file__).parents[3]
SYNTAX = ROOT / "editors/vscode/syntaxes/vl.tmLanguage.json"
SPECS = sorted((ROOT / "specs").rglob("*.vl")) + sorted((ROOT / "examples").rglob("*.vl"))


def coloured(spec: str) -> Iterator[tuple[int, str, str]]:
    """Place, text and scope of what the TextMate grammar colours, line by line as editors do."""
    patterns = [(re.compile(one["match"]), one["captures"]) for one in grammar()["patterns"]]
    start = 0
    for line in spec.splitlines(keepends=True):
        place = 0
        while place < len(line):
            found = [
                (m.start(), i, m)
                for i, (p, _) in enumerate(patterns)
                if (m := p.search(line, place))
            ]
            if not found:
                break
            _, index, match = min(found, key=lambda one: one[:2])
            for group, capture in patterns[index][1].items():
                if match[int(group)]:
                    yield start + match.start(int(group)), match[int(group)], capture["name"]
            place = match.end()
        start += len(line)


def test_the_file_is_what_the_schema_says() -> None:
    assert SYNTAX.read_text(encoding="utf-8") == text(), "run `make docs`"


def test_every_word_of_the_tables_and_of_the_schema_has_a_colour() -> None:
    words = language()
    known = {*words.statements, *words.joining, *words.values}
    assert set(tables().keywords) <= known
    assert {"adamw", "mlm", "timm", "cross_attention", "vqav2"} <= set(words.kinds)
    assert {"batch", "max_tokens", "cache_limit", "seeds", "shorter"} <= set(words.keys)
    assert {"bf16", "cls", "true", "none"} <= set(words.values)
    assert all(len(rule.scopes) == re.compile(rule.match).groups for rule in rules(words))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_shipped_specs_are_coloured_as_they_are_read(path: Path) -> None:
    spec = path.read_text(encoding="utf-8")
    found = {place: (said, scope) for place, said, scope in coloured(spec)}
    for token in tokenize(Source(name=path.name, text=spec))[0]:
        said = spec[token.start : token.end]
        if token.type == "COMMENT":
            assert found[token.start] == (said, "comment.line.number-sign.vl")
        elif token.type == "STRING":
            assert found[token.start] == (said, "string.quoted.double.vl")
        elif token.type in ("NUMBER", "PERCENTAGE", "DURATION"):
            assert found[token.start] == (said, "constant.numeric.vl")
        elif token.type in tables().keywords.values() and token.type not in ("NOTHING", "NAME"):
            assert token.start in found, said


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_pygments_loses_nothing(path: Path) -> None:
    spec = path.read_text(encoding="utf-8")
    found = list(VlLexer(stripnl=False, ensurenl=False).get_tokens(spec))
    assert "".join(said for _, said in found) == spec
    assert not any(token is Error for token, _ in found)


def test_pygments_tells_words_apart() -> None:
    spec = 'model m extends n {\n  pool = cls\n  backbone t = timm("x") # c\n}\nlet a = 15%\n'
    found = {said: token for token, said in VlLexer().get_tokens(spec)}
    assert found["model"] is Keyword.Declaration and found["m"] is Name.Function
    assert found["extends"] is Keyword and found["n"] is Name.Variable
    assert found["pool"] is Name.Attribute and found["cls"] is Keyword.Constant
    assert found["timm"] is Name.Class and found['"x"'] is String.Double
    assert found["15%"] is Literal.Number


def test_pygments_finds_the_lexer_where_the_package_is_installed() -> None:
    from importlib.metadata import entry_points

    installed = [one for one in entry_points(group="pygments.lexers") if one.name == "vl"]
    if not installed:
        pytest.skip("the package was installed before it had a lexer, or is not installed")
    assert type(get_lexer_by_name("vl")) is VlLexer


def test_the_file_is_json_that_editors_read() -> None:
    assert json.loads(SYNTAX.read_text(encoding="utf-8"))["scopeName"] == "source.vl"
