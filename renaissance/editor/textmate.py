"""The TextMate grammar of the language, for editors that colour without a server.

`python -m renaissance.editor.textmate > editors/vscode/syntaxes/vl.tmLanguage.json` writes it.
"""

import json
import re
import sys
from collections.abc import Iterable
from typing import Any

from renaissance.editor.reading import CHOOSING, PARTS, RELATIONS, TOP
from renaissance.editor.words import Words, language
from renaissance.grammar.record import Record

SCOPE = "source.vl"
DECLARING = (*TOP, *PARTS, "let", "factor")
"""Statements whose next word is a name."""
RELATING = ("extends", *RELATIONS)
_KEY, _EQUAL = "variable.other.property", "keyword.operator.assignment"


def grammar() -> dict[str, Any]:
    """Return the grammar as JSON values."""
    return {
        "name": "Renaissance",
        "scopeName": SCOPE,
        "fileTypes": ["vl"],
        "patterns": [_pattern(rule) for rule in rules(language())],
    }


class Rule(Record):
    """What is coloured.

    Attributes:
        match: a regular expression.
        scopes: of its groups in order, empty for none; what is coloured lies in groups.
    """

    match: str
    scopes: tuple[str, ...]


def rules(words: Words) -> tuple[Rule, ...]:
    """Return what is coloured, in the order of trying."""
    spelled = {name: _without_groups(pattern) for name, pattern in words.patterns.items()}
    numbers = "|".join(spelled[name] for name in ("PERCENTAGE", "DURATION", "NUMBER"))
    name = spelled["NAME"]
    keyword, joining, value = "keyword.control", "keyword.operator.word", "constant.language"
    type_, declared = "entity.name.type", "entity.name.function"
    return (
        Rule(match=f"({spelled['COMMENT']})", scopes=("comment.line.number-sign",)),
        Rule(match=f"({spelled['STRING']})", scopes=("string.quoted.double",)),
        Rule(match=rf"(?<![\w.])({numbers})", scopes=("constant.numeric",)),
        Rule(match=rf"{_any(DECLARING)}([ \t]+)({name})", scopes=(keyword, "", declared)),
        Rule(match=rf"{_any(CHOOSING)}([ \t]+)({name})", scopes=(keyword, "", type_)),
        Rule(match=rf"{_any(RELATING)}([ \t]+)({name})", scopes=(joining, "", "variable.other")),
        Rule(match=rf"{_any((*words.keys, *words.statements))}(?=\s*=)", scopes=(_KEY,)),
        Rule(match=rf"{_any(words.statements)}(?!\s*[=.\[])", scopes=(keyword,)),
        Rule(match=rf"{_any(words.joining)}(?!\s*[=.\[])", scopes=(joining,)),
        Rule(match=rf"(=)([ \t]*){_any(words.kinds)}", scopes=(_EQUAL, "", type_)),
        Rule(match=rf"(=)([ \t]*){_any(words.values)}", scopes=(_EQUAL, "", value)),
        Rule(match="(=)", scopes=(_EQUAL,)),
    )


def text() -> str:
    """Return the file."""
    return json.dumps(grammar(), indent=2) + "\n"


def _pattern(rule: Rule) -> dict[str, Any]:
    captures = {
        str(number): {"name": f"{scope}.vl"} for number, scope in enumerate(rule.scopes, 1) if scope
    }
    return {"match": rule.match, "captures": captures}


def _any(words: Iterable[str]) -> str:
    """Return a group of words."""
    return rf"\b({'|'.join(words)})\b"


def _without_groups(pattern: str) -> str:
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)


if __name__ == "__main__":
    sys.stdout.write(text())
