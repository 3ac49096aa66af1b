"""The language for Pygments, which colours code in documents and terminals."""

from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups
from pygments.token import (
    Comment,
    Keyword,
    Literal,
    Name,
    Operator,
    Punctuation,
    String,
    Text,
    Whitespace,
    _TokenType,
)

from renaissance.editor.textmate import rules
from renaissance.editor.words import language

_TOKENS: dict[str, _TokenType] = {
    "comment": Comment.Single,
    "string": String.Double,
    "constant.numeric": Literal.Number,
    "constant.language": Keyword.Constant,
    "keyword.control": Keyword.Declaration,
    "keyword.operator.word": Keyword,
    "keyword.operator.assignment": Operator,
    "entity.name.type": Name.Class,
    "entity.name.function": Name.Function,
    "variable.other.property": Name.Attribute,
    "variable.other": Name.Variable,
    "": Whitespace,
}
"""Tokens by how the scope of a rule begins."""


def _token(scope: str) -> _TokenType:
    return next(token for start, token in _TOKENS.items() if scope.startswith(start))


class VlLexer(RegexLexer):  # type: ignore[misc]
    """Colours `.vl` files by the rules of the TextMate grammar."""

    name = "Renaissance"
    url = ""
    aliases: ClassVar[list[str]] = ["vl", "renaissance"]
    filenames: ClassVar[list[str]] = ["*.vl"]
    tokens: ClassVar = {
        "root": [
            *((rule.match, bygroups(*map(_token, rule.scopes))) for rule in rules(language())),
            (r"[A-Za-z_][A-Za-z0-9_]*", Name),
            (r"[{}\[\](),:]", Punctuation),
            (r"\.", Operator),
            (r"\s+", Whitespace),
            (r".", Text),
        ]
    }
