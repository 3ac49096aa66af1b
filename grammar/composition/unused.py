"""Names that are declared and never used."""

from renaissance.grammar.composition.scope import Scope
from renaissance.grammar.diagnostics import Diagnostic
from renaissance.grammar.findings import Findings
from renaissance.grammar.source import Span


def check_unused(scope: Scope, findings: Findings) -> None:
    """Warn about names of the main file that nothing uses.

    A file without jobs is a library: its models and data are there for others.
    """
    for name, let in scope.lets.items():
        if scope.own(let) and name not in scope.used_lets:
            findings.add(_unused("value", name, let.name.span))
    if not any(scope.own(job) for job in scope.jobs.values()):
        return
    for what, declared, used in (
        ("model", scope.models, scope.used_models),
        ("data", scope.data, scope.used_data),
    ):
        for name, declaration in declared.items():
            if declaration.name and scope.own(declaration) and name not in used:
                findings.add(_unused(what, name, declaration.name.span))


def _unused(what: str, name: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code="VL110",
        message=f"{what} `{name}` is never used",
        span=span,
        severity="warning",
        label="nothing asks for it",
        help=("leave it out",),
    )
