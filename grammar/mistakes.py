"""Say in words what is wrong with the form of a text."""

import re

from renaissance.grammar.diagnostics import Diagnostic, Edit, Label
from renaissance.grammar.names import suggestion
from renaissance.grammar.record import Record
from renaissance.grammar.source import Source, Span
from renaissance.grammar.tokens import Token, tables

_PUNCTUATION = {
    "LBRACE": "{",
    "RBRACE": "}",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "EQUAL": "=",
    "COMMA": ",",
    "DOT": ".",
    "COLON": ":",
}
_RELATIONS = ("EXTENDS", "ON", "FROM", "OF")
_CLAUSES = ("EXCEPT", "UNTIL")
_THOUSANDS = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+\Z")
_MORE_THOUSANDS = re.compile(r"(?:,\d{3})+(?!\w)")
_ENDINGS = ("NL", "COMMA", "RBRACE", "$END")


class Place(Record):
    """A token that does not fit, and what is around it.

    Attributes:
        source: the text.
        token: what stands there.
        before: the last token that fitted.
        expected: the terminals that would fit.
        opening: the innermost open bracket or brace.
        new_line: whether the token is the first of its line.
        in_freeze: whether it stands in a `freeze` or `adapt` statement.
    """

    source: Source
    token: Token
    before: Token | None
    expected: frozenset[str]
    opening: Token | None
    new_line: bool
    in_freeze: bool


def unexpected(place: Place) -> Diagnostic:
    """Explain a token that does not fit."""
    token, before, opening = place.token, place.before, place.opening
    span = _span(place.source, token)
    bracket = opening is not None and opening.type != "LBRACE"
    if before is not None and before.type == "EQUAL" and token.type in _ENDINGS:
        return Diagnostic(
            code="VL006",
            message="no value after `=`",
            span=_span(place.source, before),
            label="expected a value",
        )
    if bracket and opening is not None:
        if place.new_line or token.type in ("LBRACE", "RBRACE", "$END"):
            return unclosed(place.source, opening, token)
        if token.type == "EQUAL" and opening.type == "LPAR":
            return Diagnostic(
                code="VL014",
                message="a setting stands in parentheses",
                span=span,
                label="no `=` between `(` and `)`",
                help=("write settings in braces after the parentheses: `name(…) { key = value }`",),
            )
    if token.type in ("RPAR", "RSQB") and not bracket:
        return closes_nothing(place.source, token)
    if _is_keyword(token) and "NAME" in place.expected and not _name_missing(place):
        word = _spelling(place.source, token)
        return Diagnostic(
            code="VL005",
            message=f"{word} is a keyword and cannot be a name",
            span=span,
            label="a keyword",
            help=("choose another name",),
        )
    return Diagnostic(
        code="VL001",
        message=f"expected {_expected(place)}, found {_found(place.source, token)}",
        span=span,
        label=f"expected {_expected(place)}",
        related=(_opened(place.source, opening),) if bracket and opening is not None else (),
        help=_advice(place),
    )


def unclosed(source: Source, opening: Token, token: Token) -> Diagnostic:
    """Explain a bracket that is still open where a token can no longer belong to it."""
    closing = {"LBRACE": "}", "LPAR": ")", "LSQB": "]"}[opening.type]
    return Diagnostic(
        code="VL004",
        message=f"`{_PUNCTUATION[opening.type]}` is not closed",
        span=_span(source, token),
        label=f"expected `{closing}` before {_found(source, token)}",
        related=(_opened(source, opening),),
    )


def closes_nothing(source: Source, token: Token) -> Diagnostic:
    """Explain a closing bracket without an opening one."""
    return Diagnostic(
        code="VL011",
        message=f"{_found(source, token)} closes nothing",
        span=_span(source, token),
        label=f"no `{ {'RBRACE': '{', 'RPAR': '(', 'RSQB': '['}[token.type] }` is open here",
    )


def no_brace(source: Source, line: list[Token]) -> Diagnostic:
    """Explain that a block does not begin with its brace."""
    span = Span(source=source, start=line[0].start, end=line[-1].end)
    return Diagnostic(
        code="VL001",
        message=f"`{{` is missing after {_spelling(source, line[-1])}",
        span=_span(source, line[-1]),
        label="expected `{` behind it",
        help=(f"write `{span.text} {{`",),
        edits=(Edit(span=Span(source=source, start=line[-1].end, end=line[-1].end), text=" {"),),
    )


def two_statements(source: Source, token: Token) -> Diagnostic:
    """Explain a statement that starts where another has not ended."""
    return Diagnostic(
        code="VL010",
        message="two statements stand on one line",
        span=_span(source, token),
        label="a second statement starts here",
        help=("put a line end or `,` between them",),
    )


def too_deep(source: Source, token: Token, depth: int) -> Diagnostic:
    """Explain that brackets are nested too deep to go on."""
    return Diagnostic(
        code="VL007",
        message=f"brackets are nested more than {depth} deep",
        span=_span(source, token),
        label="the rest of the file was not read",
    )


def too_many(span: Span, count: int) -> Diagnostic:
    """Explain that reading stopped."""
    return Diagnostic(
        code="VL013",
        message=f"more than {count} syntax errors",
        span=span,
        label="the rest of the file was not read",
    )


def _span(source: Source, token: Token) -> Span:
    return Span(source=source, start=token.start, end=token.end)


def _opened(source: Source, opening: Token) -> Label:
    return Label(span=_span(source, opening), text="opened here")


def _is_keyword(token: Token) -> bool:
    return token.type in tables().keywords.values()


def _name_missing(place: Place) -> bool:
    """Tell whether the keyword is in its place and the name before it was left out."""
    kind = place.token.type
    after_block = place.before is not None and place.before.type in tables().blocks
    return (after_block and kind in _RELATIONS) or (place.in_freeze and kind in _CLAUSES)


def _spelling(source: Source, token: Token) -> str:
    text = source.text[token.start : token.end]
    return f"`{text if len(text) <= 40 else text[:39] + '…'}`"


def _found(source: Source, token: Token) -> str:
    names = {"NL": "the end of the line", "$END": "the end of the file"}
    return names.get(token.type) or _spelling(source, token)


def _expected(place: Place) -> str:
    """Name what would fit, in at most a few words."""
    expected = place.expected
    if "FREEZE" in expected:
        return "a statement" if "RBRACE" not in expected else "a statement or `}`"
    words = []
    if "STRING" in expected and "LSQB" in expected:
        words.append("a value")
    elif "PERCENTAGE" in expected:
        words.append("a number, a percentage or a name")
    elif "MODEL" in expected and "NAME" in expected:
        words.append("a key or a component" if not place.in_freeze else "a component")
    else:
        words.extend(
            word
            for kind, word in (("NAME", "a name"), ("STRING", "a string"), ("NUMBER", "a number"))
            if kind in expected
        )
    # After a name nearly anything may follow; what goes on with the name itself is left out.
    shown = ["COLON", "EQUAL", "RPAR", "RSQB"]
    if "LPAR" not in expected:
        shown.insert(0, "LBRACE")
    if "RPAR" in expected or "RSQB" in expected:
        shown.insert(0, "COMMA")
    words.extend(f"`{_PUNCTUATION[kind]}`" for kind in shown if kind in expected)
    if "NL" in expected:
        words.append("the end of the line")
    if not words:
        words.extend(f"`{_PUNCTUATION[kind]}`" for kind in sorted(expected) if kind in _PUNCTUATION)
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _advice(place: Place) -> tuple[str, ...]:
    token, expected = place.token, place.expected
    before = place.before.type if place.before else "NL"
    text = place.source.text[token.start : token.end]
    advice = ""
    if token.type == "EQUAL" and before in ("FREEZE", "ADAPT"):
        advice = f"selectors follow without `=`: `{before.lower()} vision`"
    elif token.type == "STRING" and place.in_freeze:
        advice = f"selectors stand without quotes: `{text[1:-1]}`"
    elif token.type == "NAME" and text == "and" and place.in_freeze:
        advice = "a comma stands between selectors: `freeze vision, text`"
    elif token.type == "EQUAL" and place.in_freeze:
        advice = (
            "a comma after a selector continues the list; "
            "put the next statement on a line of its own"
        )
    elif token.type == "EQUAL" and before == "EQUAL":
        advice = "write one `=`"
    elif token.type == "COLON" and "EQUAL" in expected:
        advice = "a value is given with `=`"
    elif token.type == "LBRACE" and place.new_line:
        advice = "put `{` on the line of what it belongs to"
    elif token.type == "NUMBER" and before == "COMMA" and (number := _grouped(place)):
        advice = f"digits are grouped by `_`: `{number}`"
    elif token.type == "STRING" and before == "NAME" and "LPAR" in expected:
        advice = f"write parentheses around it: `({text})`"
    elif token.type == "STRING" and before in tables().blocks and text[1:-1].isidentifier():
        advice = f"names stand without quotes: `{text[1:-1]}`"
    elif token.type == "NAME" and expected == {"STRING"}:
        advice = f'a path stands in quotes: `"{text}.vl"`'
    elif token.type == "DOT" and "NUMBER" in expected:
        advice = "a number starts with a digit: `0.5`"
    elif place.before is not None and before == "NAME" and "EQUAL" in expected:
        return _misspelt(place.source.text[place.before.start : place.before.end])
    return (advice,) if advice else ()


def _grouped(place: Place) -> str:
    """Return the number around a comma that was written between its digits; empty for none."""
    text, end = place.source.text, place.token.end
    match = _THOUSANDS.search(text[:end])
    if match is None:
        return ""
    following = _MORE_THOUSANDS.match(text, end)
    return (match[0] + (following[0] if following else "")).replace(",", "_")


def _misspelt(word: str) -> tuple[str, ...]:
    """Name the keywords that a word in the place of one resembles."""
    keywords = (text for text, kind in tables().keywords.items() if kind in tables().blocks)
    return suggestion(word, keywords, "a keyword")
