"""Findings about one model, each at the place where its part was said."""

from renaissance.grammar.checks.partial import PartialModel
from renaissance.grammar.diagnostics import Diagnostic, Label
from renaissance.grammar.findings import Findings
from renaissance.grammar.places import Path, Places
from renaissance.grammar.record import Record
from renaissance.grammar.source import Span


class ModelFindings(Record):
    """What is found in a model.

    Attributes:
        parts: the model, with holes where a part is already known to be wrong.
        places: where everything was said.
        findings: receives what is wrong.
    """

    parts: PartialModel
    places: Places
    findings: Findings

    def value(self, path: Path) -> Span:
        """Return the span of a value, or of the nearest block around it."""
        return self.places.value(path) or self.parts.span

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *help: str,
        related: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> None:
        """Add a finding that makes the model unusable."""
        self.findings.add(
            Diagnostic(
                code=code,
                message=message,
                span=span,
                label=label,
                help=help,
                related=related,
                notes=notes,
            )
        )
