"""Blocks as the file states them, before types and defaults: which key was said where.

Inheritance and overrides act on drafts, so that a default never wins over what a parent says.
"""

from collections.abc import Iterable

from renaissance.grammar import tree
from renaissance.grammar.diagnostics import Diagnostic, Edit, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.names import nearest, suggestion
from renaissance.grammar.record import Record, field, replace
from renaissance.grammar.source import Span


class Choice(Record, many=True):
    """A block of a certain kind: `timm("…") { … }`, `adamw { … }`.

    Attributes:
        kind: the word that says which block it is.
        arguments: values between parentheses; None without parentheses.
        keys: what is assigned between the braces.
        span: the whole of it.
        broken: a statement in it could not be read, so that keys may be missing.
    """

    kind: tree.Name
    arguments: tuple[tree.Value, ...] | None = None
    keys: "dict[str, Setting]" = field(default_factory=dict)
    span: Span
    broken: bool = False

    def merged(self, keys: "dict[str, Setting]", broken: bool) -> "Choice":
        """Return this choice with some keys replaced."""
        return replace(self, keys={**self.keys, **keys}, broken=self.broken or broken)


Content = tree.Value | Choice | tuple[Choice, ...] | dict[str, "Setting"]


class Setting(Record, many=True):
    """What a key is set to, and where."""

    place: Span
    value: Content

    @property
    def span(self) -> Span:
        """The span of the value; that of the key where the value is put together."""
        value = self.value
        return self.place if isinstance(value, (dict, tuple)) else value.span


def choice_of(value: tree.Value, findings: Findings) -> Choice | None:
    """Return the draft of a call, or of a bare name; None for any other value."""
    match value:
        case tree.Call(function=function, arguments=arguments, body=body):
            keys, broken = assignments(body, findings)
            return Choice(
                kind=function, arguments=arguments, keys=keys, span=value.span, broken=broken
            )
        case tree.Address(parts=(tree.Name() as name,)):
            return Choice(kind=name, span=value.span)
    return None


def assignments(body: tree.Body | None, findings: Findings) -> tuple[dict[str, Setting], bool]:
    """Return the keys that a body assigns, and whether a part of it could not be read.

    Statements that are no assignments to a plain key are findings.
    """
    keys: dict[str, Setting] = {}
    if body is None:
        return keys, False
    for statement in body.statements:
        if isinstance(statement, tree.Assignment):
            put(
                keys,
                statement.address.span,
                plain_text(statement.address),
                statement.value,
                findings,
            )
        else:
            findings.add(misplaced(statement, "only keys may stand here"))
    return keys, body.broken


def put(
    keys: dict[str, Setting], place: Span, name: str, value: Content, findings: Findings
) -> None:
    """Set a key, unless the same block has already set it."""
    known = keys.get(name)
    if known is None:
        keys[name] = Setting(place=place, value=value)
        return
    findings.add(
        Diagnostic(
            code="VL402",
            message=f"`{name}` is set twice",
            span=place,
            label="set again",
            related=(Label(span=known.place, text="first set here"),),
            help=("leave one of them out",),
        )
    )


def plain_text(address: tree.Address) -> str:
    """Return an address as one spells it, without spaces."""
    text = ""
    for part in address.parts:
        if isinstance(part, tree.Name):
            text += f".{part.text}" if text else part.text
        elif part.single:
            text += f"[{part.start}]"
        else:
            start = "" if part.start is None else part.start
            stop = "" if part.stop is None else part.stop
            text += f"[{start}:{stop}]"
    return text


def misplaced(
    statement: tree.Statement, label: str, *help: str, known: Iterable[str] = ()
) -> Diagnostic:
    """Return the finding that a statement does not belong where it stands.

    Args:
        statement: what does not belong there.
        label: what is said under its first word.
        help: how to fix it, if its first word resembles none of those known.
        known: words that statements may start with there.
    """
    match statement:
        case tree.Declaration(keyword=keyword):
            span = keyword.span
        case tree.Assignment(address=address):
            span = address.span
        case _:
            start = statement.span.start
            word = statement.span.text.split(maxsplit=1)[0]
            span = Span(source=statement.span.source, start=start, end=start + len(word))
    close: tuple[str, ...] = ()
    if isinstance(statement, tree.Declaration) and span.text not in (known := tuple(known)):
        close = nearest(span.text, known)
    return Diagnostic(
        code="VL410",
        message=f"`{span.text}` does not belong here",
        span=span,
        label=label,
        help=suggestion(span.text, close, "a keyword") or help,
        edits=(Edit(span=span, text=close[0]),) if len(close) == 1 else (),
    )
