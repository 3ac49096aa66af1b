"""Findings as an editor shows them, and the changes that they bring along."""

from collections.abc import Iterable, Iterator

from lsprotocol import types

from renaissance.editor.documents import Analysis, uri_of
from renaissance.editor.places import Columns
from renaissance.grammar.diagnostics import Diagnostic, Edit
from renaissance.grammar.fixing import applicable
from renaissance.grammar.source import Span

SOURCE = "renaissance"
_SEVERITY = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
}


def published(finding: Diagnostic, columns: Columns) -> types.Diagnostic:
    """Return a finding with all that `check` prints of it."""
    told = finding.label.casefold() in finding.message.casefold()
    lines = [finding.message, "" if told else finding.label]
    lines += [f"help: {line}" for line in finding.help]
    lines += [f"note: {line}" for line in finding.notes]
    return types.Diagnostic(
        range=columns.range(finding.span),
        severity=_SEVERITY[finding.severity],
        code=finding.code,
        source=SOURCE,
        message="\n".join(filter(None, lines)),
        related_information=[
            types.DiagnosticRelatedInformation(
                types.Location(uri_of(label.span.source.name), columns.range(label.span)),
                label.text,
            )
            for label in finding.related
            if label.span.source.name
        ],
    )


def fixes(analysis: Analysis, asked: Span, columns: Columns) -> Iterator[types.CodeAction]:
    """Yield the changes of findings that touch a part of a text, and that of all at once."""
    every = applicable(analysis.source, analysis.resolution.diagnostics)
    for finding in analysis.resolution.diagnostics:
        span = finding.span
        here = span.source.name == analysis.source.name
        if here and finding.edits and span.start <= asked.end and asked.start <= span.end:
            yield types.CodeAction(
                title=_title(finding),
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[published(finding, columns)],
                edit=_workspace_edit(finding.edits, columns),
                is_preferred=True,
            )
    if every:
        edits = [edit for finding in every for edit in finding.edits]
        yield types.CodeAction(
            title="Make all changes that findings bring along",
            kind=types.CodeActionKind.SourceFixAll,
            edit=_workspace_edit(edits, columns),
        )


def _title(finding: Diagnostic) -> str:
    """Say what one change does; what several do, the finding's help says."""
    first, *others = finding.edits
    if others or "\n" in first.text or "\n" in first.span.text:
        said = finding.help[0] if finding.help else finding.message
        return said[:1].upper() + said[1:]
    before, after = first.span.text.strip(), first.text.strip()
    if not after:
        return f"Remove `{before}`"
    return f"Write `{after}` instead of `{before}`" if before else f"Add `{after}`"


def _workspace_edit(edits: Iterable[Edit], columns: Columns) -> types.WorkspaceEdit:
    changes: dict[str, list[types.TextEdit]] = {}
    for edit in edits:
        changes.setdefault(uri_of(edit.span.source.name), []).append(
            types.TextEdit(columns.range(edit.span), edit.text)
        )
    return types.WorkspaceEdit(changes=changes)
