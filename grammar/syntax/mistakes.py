"""Say in words what is wrong with the form of a text."""

import re

from renaissance.grammar.diagnostics import Diagnostic, Edit, Label
from renaissance.grammar.names import suggestion
from renaissance.grammar.record import replace
from renaissance.grammar.source import Source, Span
from renaissance.grammar.syntax.advice.place import Place
from renaissance.grammar.syntax.tokens import Token, tables

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
_ENDINGS = ("NL", "COMMA", "RBRACE", "$END")


def unexpected(place: Place) -> Diagnostic:
    """Explain a token that does not fit."""
    # Only mistakes pay for it.
    from renaissance.grammar.syntax.advice.rules import advice
    from renaissance.grammar.syntax.advice.statements import instead_of_key
    from renaissance.grammar.syntax.advice.streams import named_streams

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
            instead = named_streams(place)
            return Diagnostic(
                code="VL014",
                message="a setting stands in parentheses",
                span=span,
                label="no `=` between `(` and `)`",
                help=instead.help
                or ("write settings in braces after the parentheses: `name(…) { key = value }`",),
                edits=instead.edits,
            )
    if token.type in ("RPAR", "RSQB") and not bracket:
        return closes_nothing(place.source, token)
    if _is_keyword(token) and "NAME" in place.expected and not _name_missing(place):
        word = _spelling(place.source, token)
        as_key = instead_of_key(place)
        return Diagnostic(
            code="VL005",
            message=f"{word} is a keyword and cannot be a {'key' if as_key.help else 'name'}",
            span=span,
            label="a keyword",
            help=as_key.help or ("choose another name",),
            edits=as_key.edits,
        )
    instead = advice(place)
    return Diagnostic(
        code="VL001",
        message=f"expected {_expected(place)}, found {_found(place.source, token)}",
        span=span,
        label=f"expected {_expected(place)}",
        related=(_opened(place.source, opening),) if bracket and opening is not None else (),
        help=instead.help,
        edits=instead.edits,
    )


def unclosed(source: Source, opening: Token, token: Token) -> Diagnostic:
    """Explain a bracket that is still open where a token can no longer belong to it."""
    closing = {"LBRACE": "}", "LPAR": ")", "LSQB": "]"}[opening.type]
    end = _end_before(source, token)
    first, last = (source.position(place)[0] for place in (opening.start, max(end - 1, 0)))
    one_line = first == last and end > opening.end
    text = f" {closing}" if closing == "}" else closing
    where = f"at the end of line {first}" if closing == "}" else f"behind `{_tail(source, end)}`"
    own = (
        f"put `{closing}` on a line of its own" if closing == "}" else f"close it with `{closing}`"
    )
    below = f"{own} before {_found(source, token)}"
    return Diagnostic(
        code="VL004",
        message=f"`{_PUNCTUATION[opening.type]}` is not closed",
        span=_span(source, token),
        label="closes the block around it; one more `}` is missing before it"
        if token.type == "RBRACE" and closing == "}"
        else f"expected `{closing}` before {_found(source, token)}",
        related=(_opened(source, opening),),
        help=(f"put `{closing}` {where}",) if one_line else (below,),
        edits=(Edit(span=Span(source=source, start=end, end=end), text=text),) if one_line else (),
    )


def _end_before(source: Source, token: Token) -> int:
    """Return where the text before a token ends, comments and empty lines left out."""
    end = token.start
    while True:
        line = source.text.rfind("\n", 0, end) + 1
        text = source.text[line:end]
        # A `#` inside a string is rare, and then nothing is rewritten.
        bare = text.partition("#")[0].rstrip()
        if bare or line == 0:
            return line + len(bare)
        end = line - 1


def _tail(source: Source, end: int) -> str:
    """Return the last word before a place."""
    start = end
    while start > 0 and not source.text[start - 1].isspace() and end - start < 20:
        start -= 1
    return source.text[start:end]


def closes_nothing(source: Source, token: Token, *, left_out: bool = False) -> Diagnostic:
    """Explain a closing bracket without an opening one.

    Args:
        source: the text.
        token: the bracket.
        left_out: it is one too many where others go on.
    """
    span = _span(source, token)
    if left_out:
        return Diagnostic(
            code="VL011",
            message=f"{_found(source, token)} is one too many",
            span=span,
            label="the block goes on below",
            help=("leave it out",),
            edits=(Edit(span=span, text=""),),
        )
    return Diagnostic(
        code="VL011",
        message=f"{_found(source, token)} closes nothing",
        span=span,
        help=("leave it out",),
        edits=(Edit(span=span, text=""),),
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


def equal_before_brace(source: Source, line: list[Token]) -> Diagnostic:
    """Explain `=` in front of a brace, or of the name of a factor."""
    *before, equal, behind = line
    mark = source.text[equal.start : equal.end]
    inner = [index for index, token in enumerate(before) if token.type in ("LBRACE", "COMMA")]
    head = before[inner[-1] + 1 :] if inner else before
    text = source.text[head[0].start : head[-1].end]
    named = behind.type == "LBRACE"
    meant = f"{text} {{" if named else f"{text} {source.text[behind.start : behind.end]} {{"
    return Diagnostic(
        code="VL001",
        message=f"`{text}` takes {'braces' if named else 'a name'}, and no `{mark}`",
        span=_span(source, equal),
        label="is too much",
        help=(f"write `{meant}`",),
        edits=(Edit(span=Span(source=source, start=head[-1].end, end=equal.end), text=""),),
    )


def study_extends(source: Source, token: Token) -> Diagnostic:
    """Explain a study that extends something."""
    return Diagnostic(
        code="VL001",
        message="a study extends no other one",
        span=_span(source, token),
        label="expected `{`",
        help=("state its keys and factors here; jobs and models may extend others",),
    )


def bracket_for_brace(source: Source, line: list[Token]) -> Diagnostic:
    """Explain another bracket in the place of the brace that a block begins with."""
    *head, bracket = line
    text = source.text[head[0].start : head[-1].end]
    return Diagnostic(
        code="VL001",
        message="a block stands between braces",
        span=_span(source, bracket),
        label="expected `{`",
        help=(f"write `{text} {{`, and `}}` behind its last line",),
    )


def indented(source: Source, line: list[Token], below: str) -> Diagnostic:
    """Explain a block that is told by its indentation.

    Args:
        source: the text.
        line: tokens of the line that it belongs to, the colon last.
        below: the text of the block.
    """
    *head, colon = line
    text = source.text[head[0].start : head[-1].end] if head else "…"
    items = re.findall(r"^\s*-\s+([\w.\"]+)\s*$", below, re.MULTILINE)
    if items:
        help = f"lists stand in square brackets: `{text} = [{', '.join(items)}]`"
    else:
        help = f"a block stands between braces, and `=` gives a value: `{text} {{ … }}`"
    return Diagnostic(
        code="VL001",
        message="indentation says nothing",
        span=_span(source, colon),
        label="expected `=` or `{`",
        help=(help,),
    )


def colon_for_brace(source: Source, line: list[Token]) -> Diagnostic:
    """Explain a colon in the place of the brace that a block begins with."""
    *head, colon = line
    span = Span(source=source, start=head[-1].end, end=colon.end)
    return replace(bracket_for_brace(source, line), edits=(Edit(span=span, text=" {"),))


def misspelt(source: Source, word: Token, meant: str) -> Diagnostic:
    """Explain a word that is read as the keyword that it resembles."""
    span = _span(source, word)
    return Diagnostic(
        code="VL001",
        message=f"no statement starts with {_spelling(source, word)}",
        span=span,
        label=f"is `{meant}` meant?",
        help=suggestion(span.text, (meant,), "a keyword") or (f"write `{meant}`",),
        edits=(Edit(span=span, text=meant),),
    )


def two_statements(source: Source, before: Token | None, token: Token) -> Diagnostic:
    """Explain a statement that starts before another has ended, whose last token is `before`."""
    edits: tuple[Edit, ...] = ()
    if before is not None and "\n" not in source.text[before.end : token.start]:
        edits = (Edit(span=Span(source=source, start=before.end, end=before.end), text=","),)
    return Diagnostic(
        code="VL010",
        message="two statements stand on one line",
        span=_span(source, token),
        label="a second statement starts here",
        help=("put a line end or `,` between them",),
        edits=edits,
    )


def one_more_statement(finding: Diagnostic, another: Diagnostic) -> Diagnostic:
    """Return the finding of a line of two statements for one on which yet another starts."""
    return replace(
        finding,
        message="several statements stand on one line",
        related=(*finding.related, Label(span=another.span, text="another one")),
        edits=(*finding.edits, *another.edits),
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
