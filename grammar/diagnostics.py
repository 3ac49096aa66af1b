"""What a pass has to say about a spec, as data. Only the front door prints it."""

from collections.abc import Sequence
from typing import Literal

from renaissance.grammar.record import Record
from renaissance.grammar.source import Span

Severity = Literal["error", "warning"]


class Label(Record):
    """Another place that matters, and why."""

    span: Span
    text: str


class Edit(Record):
    """Replace the text of a span."""

    span: Span
    text: str


class Diagnostic(Record):
    """One finding.

    Attributes:
        code: stable and never reused, such as `VL204`; explained by `renaissance explain`.
        message: what is wrong: lower case, no full stop, names in backticks, no advice.
        span: the smallest part that shows it.
        label: a few words under the underlined part.
        related: other places that matter.
        help: how to fix it.
        notes: facts that explain it.
        edits: changes that would fix it.
    """

    code: str
    message: str
    span: Span
    severity: Severity = "error"
    label: str = ""
    related: tuple[Label, ...] = ()
    help: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()


class SpecError(Exception):
    """A spec that cannot be used; carries every finding."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Keep the findings; the message has a line of each, with its place, and its hints."""
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(_summary(diagnostic) for diagnostic in diagnostics))


def _summary(diagnostic: Diagnostic) -> str:
    line, column = diagnostic.span.source.position(diagnostic.span.start)
    place = f"{diagnostic.span.source.name}:{line}:{column}"
    hints = "".join(f"\n  help: {hint}" for hint in diagnostic.help)
    return f"{place}: {diagnostic.code} {diagnostic.message}{hints}"
